import { keyColumnsOf, keyOn, translate } from '../../mapping/index.ts';
import type { Mapping, Pair, Row } from '../../mapping/index.ts';
import type { RowName, SideDatabase } from '../../sides/side-database.ts';
import type { Partners } from './merge.ts';

interface Sides {
  readonly mapping: Mapping;
  /** The owner. */
  readonly source: SideDatabase;
  readonly target: SideDatabase;
}

/**
 * The owner's row that partners are about, by the key its feed gives rows: where the owner has none,
 * it is the row that the other side's would come from.
 */
export function ownerRowOf(
  { mapping, source, target }: Sides,
  pair: Pair,
  partners: Partners,
): RowName {
  const { table } = pair[source.side];
  const row = partners.source ?? wayBack(pair, target, partners.target);
  const known: Row = { ...row, ...keyOn(pair, source.side, partners.key) };
  const columns = keyColumnsOf(mapping, source.side, table).filter((column) => column in known);
  const key = Object.fromEntries(columns.map((column) => [column, known[column] ?? null]));
  return { table, key };
}

function wayBack(pair: Pair, target: SideDatabase, row: Row | undefined): Row {
  try {
    return row === undefined ? {} : translate(pair, target.side, row);
  } catch {
    // It has no way back, and is to go anyway: the pair's own key has to be enough.
    return {};
  }
}
