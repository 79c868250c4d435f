import { carriedOutOf, deletedKeys, tablesWithCarriedOut } from '../carried-out.ts';
import type { Mapping, Row } from '../mapping/index.ts';
import type { Reference } from '../reference.ts';
import type { SideName } from '../side.ts';
import type { Change } from '../store.ts';
import { referencesOf } from './schema.ts';
import type { Prepare } from './schema.ts';
import { bound, name } from './values.ts';

/**
 * Deletes the children of rows that changes have deleted, or takes their parent from them, as the
 * declared foreign keys say: one statement for each. Rows that are there after all keep theirs. To be
 * the last thing that a transaction writes of the business's.
 * @param changes of the whole slice: a row that is inserted again later keeps its children
 * @param isApplied whether a change was applied: not parked, nor still to come
 */
export function carryOut(
  prepare: Prepare,
  mapping: Mapping,
  side: SideName,
  changes: readonly Change[],
  isApplied: (change: Change) => boolean,
): void {
  for (const table of tablesWithCarriedOut(mapping, side)) {
    const keys = deletedKeys(mapping, side, table, changes, isApplied);
    if (keys.length === 0) continue;
    // What does not move is nobody's to apply: whoever else captures it has to see this.
    prepare('UPDATE main.fig_clock SET applying = 0 WHERE id = 1').run();
    for (const reference of carriedOutOf(mapping, side, table, referencesOf(prepare, table))) {
      const values = padded(keys).flatMap((key) =>
        reference.parentColumns.map((column) => bound(key[column] ?? null)),
      );
      const sql = carryOutSql(reference, values.length / reference.parentColumns.length);
      prepare(sql).run(values);
    }
  }
}

/** A statement is kept for each number of keys, and so there are to be few such numbers. */
function padded(keys: readonly Row[]): readonly Row[] {
  const [first = {}] = keys;
  const missing = 2 ** Math.ceil(Math.log2(keys.length)) - keys.length;
  return [...keys, ...Array.from({ length: missing }, () => first)];
}

function carryOutSql(
  { child, columns, parent, parentColumns, onDelete }: Reference,
  keys: number,
): string {
  const gone = parentColumns.map((_, index) => `k${index}`);
  const row = `(${gone.map(() => '?').join(', ')})`;
  // With the parent's column first, texts are compared as the foreign key compares them.
  const there = parentColumns.map((column, i) => `p.${name(column)} = c.${name(columns[i] ?? '')}`);
  const own = columns.map((column) => name(column));
  const change =
    onDelete === 'SET NULL'
      ? `UPDATE ${name(child)} AS c SET ${own.map((column) => `${column} = NULL`).join(', ')}`
      : `DELETE FROM ${name(child)} AS c`;
  return (
    `WITH fig_gone (${gone.join(', ')}) AS (VALUES ${Array.from({ length: keys }, () => row).join(', ')}) ` +
    `${change} WHERE (${own.join(', ')}) IN (SELECT ${gone.join(', ')} FROM fig_gone) ` +
    `AND NOT EXISTS (SELECT 1 FROM ${name(parent)} p WHERE ${there.join(' AND ')})`
  );
}
