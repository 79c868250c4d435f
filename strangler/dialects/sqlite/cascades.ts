import { dueCascades, refusedDelete } from '../../replication/cascades.ts';
import type { Mapping, Row } from '../../mapping/index.ts';
import type { Reference } from '../../check/reference.ts';
import type { SideName } from '../../../routing/side.ts';
import type { Change } from '../../ledger/store.ts';
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

/**
 * Refuses the delete of a row that has children in a table that does not move, where the mapping says so.
 * @param change that was written a moment ago, in this transaction
 * @throws MappingError, which says how many children there are
 */
export function refuseOrphans(
  prepare: Prepare,
  mapping: Mapping,
  side: SideName,
  change: Change,
): void {
  const references = (table: string): readonly Reference[] => referencesOf(prepare, table);
  for (const { reference, keys } of dueCascades(
    mapping,
    side,
    [change],
    Infinity,
    references,
    'refuse',
  )) {
    const values = keys.flatMap((key) =>
      reference.parentColumns.map((column) => bound(key[column] ?? null)),
    );
    const sql = `${goneSql(reference, keys.length)} SELECT count(*) FROM ${name(reference.child)} AS c ${ofGone(reference)}`;
    const rows = prepare(sql).pluck().get(values) as number;
    if (rows > 0) throw refusedDelete(reference, rows);
  }
}

/** A statement is kept for each number of keys, and so there are to be few such numbers. */
function padded(keys: readonly Row[]): readonly Row[] {
  const [first = {}] = keys;
  const missing = 2 ** Math.ceil(Math.log2(keys.length)) - keys.length;
  return [...keys, ...Array.from({ length: missing }, () => first)];
}

function cascadeSql(reference: Reference, keys: number): string {
  const { child, columns, onDelete } = reference;
  const change =
    onDelete === 'SET NULL'
      ? `UPDATE ${name(child)} AS c SET ${columns.map((column) => `${name(column)} = NULL`).join(', ')}`
      : `DELETE FROM ${name(child)} AS c`;
  return `${goneSql(reference, keys)} ${change} ${ofGone(reference)}`;
}

/** Keys that changes have deleted. */
function goneSql({ parentColumns }: Reference, keys: number): string {
  const row = `(${parentColumns.map(() => '?').join(', ')})`;
  const rows = Array.from({ length: keys }, () => row).join(', ');
  return `WITH fig_gone (${namesOfGone(parentColumns)}) AS (VALUES ${rows})`;
}

/** Which children `c` those are whose parent is one of them, and is not there. */
function ofGone({ columns, parent, parentColumns }: Reference): string {
  // With the parent's column first, texts are compared as the foreign key compares them.
  const there = parentColumns.map((column, i) => `p.${name(column)} = c.${name(columns[i] ?? '')}`);
  const own = columns.map((column) => name(column)).join(', ');
  return (
    `WHERE (${own}) IN (SELECT ${namesOfGone(parentColumns)} FROM fig_gone) ` +
    `AND NOT EXISTS (SELECT 1 FROM ${name(parent)} p WHERE ${there.join(' AND ')})`
  );
}

function namesOfGone(columns: readonly string[]): string {
  return columns.map((_, index) => `k${index}`).join(', ');
}
