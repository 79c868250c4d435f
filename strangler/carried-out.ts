import {
  belongs,
  encodeValues,
  isGuest,
  keyNames,
  keyOn,
  MappingError,
  pairKeyOf,
} from './mapping/index.ts';
import type { Mapping, Pair, Row } from './mapping/index.ts';
import { referenceName } from './reference.ts';
import type { Reference } from './reference.ts';
import { otherSide } from './side.ts';
import type { SideName } from './side.ts';
import type { Change } from './store.ts';

/** Foreign keys of a moved table that the mapping wants carried out, as it names them. */
export function carriedOutNames(
  mapping: Pick<Mapping, 'pairs'>,
  side: SideName,
  table: string,
): readonly string[] {
  const names = mapping.pairs
    .filter((pair) => pair[side].table === table)
    .flatMap((pair) => Object.entries(pair[side].references ?? {}))
    .filter(([, remedy]) => typeof remedy !== 'string')
    .map(([named]) => named);
  return [...new Set(names)];
}

/** The columns by which rows of a table are deleted: the keys of the pairs that give its rows life. */
export function keysByTable(
  mapping: Pick<Mapping, 'pairs'>,
  side: SideName,
  table: string,
): readonly (readonly string[])[] {
  return anchorsOf(mapping, side, table).map((pair) => keyNames(pair, side));
}

/** Moved tables whose children are looked after when their rows are deleted. */
export function tablesWithCarriedOut(mapping: Pick<Mapping, 'pairs'>, side: SideName): string[] {
  const tables = new Set(mapping.pairs.map((pair) => pair[side].table));
  return [...tables].filter((table) => carriedOutNames(mapping, side, table).length > 0);
}

/** Those of a table's foreign keys that the mapping wants carried out. */
export function carriedOutOf(
  mapping: Pick<Mapping, 'pairs'>,
  side: SideName,
  table: string,
  references: readonly Reference[],
): readonly Reference[] {
  const names = carriedOutNames(mapping, side, table);
  return references.filter(
    (reference) => reference.child !== table && names.includes(referenceName(reference)),
  );
}

/**
 * Keys of a table's rows of which the last of the changes says that they are gone. That a row is gone
 * from the database says less: a copy takes rows out for a while, and what comes again may be parked.
 * @param isApplied of a change that is not, such as a parked one, only that a row stays counts
 */
export function deletedKeys(
  mapping: Pick<Mapping, 'pairs'>,
  side: SideName,
  table: string,
  changes: readonly Change[],
  isApplied: (change: Change) => boolean,
): readonly Row[] {
  const source = otherSide(side);
  const pairs = anchorsOf(mapping, side, table);
  const deleted = new Map<string, Row>();
  for (const change of changes) {
    const kept: string[] = [];
    for (const pair of pairs) {
      if (pair[source].table !== change.table) continue;
      const row = change.op === 'delete' ? null : (change.image as Row | null);
      const key = keyHere(pair, side, row ?? (change.key as Row));
      if (key === undefined) continue;
      const named = encodeValues(
        Object.keys(key)
          .sort()
          .map((column) => key[column] ?? null),
      );
      if (row !== null && belongs(pair, source, row)) kept.push(named);
      else if (isApplied(change)) deleted.set(named, key);
    }
    // A row of one pair may have been one of another's, by the same key.
    for (const named of kept) deleted.delete(named);
  }
  return [...deleted.values()];
}

function anchorsOf(
  { pairs }: Pick<Mapping, 'pairs'>,
  side: SideName,
  table: string,
): readonly Pair[] {
  return pairs.filter((pair) => pair[side].table === table && !isGuest(pair, side));
}

/** A row's key as this side writes it; undefined when it can't be carried, so that no row here has it. */
function keyHere(pair: Pair, side: SideName, row: Row): Row | undefined {
  try {
    const key = pairKeyOf(pair, otherSide(side), row);
    return key && keyOn(pair, side, key);
  } catch (error) {
    if (error instanceof MappingError) return undefined;
    throw error;
  }
}
