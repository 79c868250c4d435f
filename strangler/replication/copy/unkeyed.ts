import { pairKeyOf } from '../../mapping/index.ts';
import type { Pair, Row } from '../../mapping/index.ts';
import type { RowReader } from '../../sides/side-database.ts';
import type { SideName } from '../../../routing/side.ts';

/** More than these are no damage but another idea of a key. */
const MOST = 1_000;

/** Rows that can have no partner, each with the reason and with what a person can do about it. */
export async function unkeyedRows(
  reader: RowReader,
  pair: Pair,
  side: SideName,
): Promise<readonly (readonly [row: Row, reason: string])[]> {
  const rows = await reader.unkeyed(pair, MOST);
  return rows.map((row) => [row, whyNot(pair, side, row)] as const);
}

function whyNot(pair: Pair, side: SideName, row: Row): string {
  const remedy = 'give the row a key by which it can be found, or delete it';
  try {
    pairKeyOf(pair, side, row);
    return `its key has no place on the other side; ${remedy}`;
  } catch (error) {
    return `${(error as Error).message}; ${remedy}`;
  }
}
