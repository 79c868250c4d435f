import { dueCascades } from '../cascades.ts';
import type { Mapping, Row } from '../mapping/index.ts';
import type { Reference } from '../reference.ts';
import type { SideName } from '../side.ts';
import type { Change } from '../store.ts';
import { referencesOf } from './schema.ts';
import type { Prepare } from './schema.ts';
import { bound, name } from './values.ts';

/**
 * Deletes the children of rows that changes have deleted, or takes their parent from them, as the declared
 * foreign keys say: one statement for each. To be the last write of a transaction to the business's tables.
 * @param changes of the whole slice
 * @param upto how far they were applied
 */
export function applyCascades(
  prepare: Prepare,
  mapping: Mapping,
  side: SideName,
  changes: readonly Change[],
  upto: number,
): void {
  const references = (table: string): readonly Reference[] => referencesOf(prepare, table);
  const due = dueCascades(mapping, side, changes, upto, references);
  if (due.length === 0) return;
  // These rows belong to this database: its triggers must see the write.
  prepare('UPDATE main.fig_clock SET applying = 0 WHERE id = 1').run();
  for (const { reference, keys } of due) {
    const values = padded(keys).flatMap((key) =>
      reference.parentColumns.map((column) => bound(key[column] ?? null)),
    );
    const sql = cascadeSql(reference, values.length / reference.parentColumns.length);
    prepare(sql).run(values);
  }
}

/** A statement is kept for each number of keys, and so there are to be few such numbers. */
function padded(keys: readonly Row[]): readonly Row[] {
  const [first = {}] = keys;
  const missing = 2 ** Math.ceil(Math.log2(keys.length)) - keys.length;
  return [...keys, ...Array.from({ length: missing }, () => first)];
}

function cascadeSql(
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
