import { canonicalJson } from '../../chassis/index.ts';
import {
  belongs,
  isColumnPair,
  keyOn,
  pairKeyOf,
  resetValues,
  tablesOf,
  translate,
} from '../../strangler/index.ts';
import type { Mapping, Row } from '../../strangler/index.ts';

type Side = 'legacy' | 'extracted';

/** All rows of a capability on one side, by table and by key. */
export type Rows = Readonly<Record<string, readonly Row[]>>;

/** What the mapping makes of all rows of one side: the whole other side, in memory. */
export function moveRows(mapping: Mapping, from: Side, rows: Rows): Rows {
  const to = from === 'legacy' ? 'extracted' : 'legacy';
  const moved = new Map(tablesOf(mapping, to).map((table) => [table, new Map<string, Row>()]));
  for (const pair of mapping.pairs) {
    const target = moved.get(pair[to].table) ?? new Map<string, Row>();
    for (const row of rows[pair[from].table] ?? []) {
      if (!belongs(pair, from, row)) continue;
      const key = keyOn(pair, to, pairKeyOf(pair, from, row) ?? []);
      const name = JSON.stringify(key);
      target.set(name, { ...target.get(name), ...key, ...translate(pair, from, row) });
    }
  }
  return Object.fromEntries(
    [...moved].map(([table, byKey]) => [
      table,
      [...byKey.values()].map((row) => withResets(mapping, to, table, row)),
    ]),
  );
}

/** What no partner has said, a column pair's columns fall back to. */
function withResets(mapping: Mapping, side: Side, table: string, row: Row): Row {
  const columnPairs = mapping.pairs.filter(
    (pair) => pair[side].table === table && isColumnPair(pair, side),
  );
  return columnPairs.reduce<Row>(
    (whole, columnPair) => ({ ...resetValues(columnPair[side].resetTo, whole), ...whole }),
    row,
  );
}

/** Rows in an order that does not depend on how they were collected. */
export function sorted(rows: Rows): Rows {
  return Object.fromEntries(
    Object.entries(rows).map(([table, list]) => [
      table,
      list
        .map((row) => [canonicalJson(row), row] as const)
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .map(([, row]) => row),
    ]),
  );
}
