import { isColumnPair, keyNames, ownColumns } from '../../mapping/index.ts';
import type { Mapping, Pair } from '../../mapping/index.ts';
import type { SideName } from '../../../routing/side.ts';
import { foreignTriggers, freeColumns, uniqueColumns } from './schema.ts';
import type { Prepare } from './schema.ts';
import { name } from './values.ts';

/** A table's columns by which rows are found, and those to write besides. */
interface Written {
  readonly table: string;
  readonly key: readonly string[];
  readonly rest: readonly string[];
}

/** Statements that write a pair's rows; parameters are the values of `key`, then those of `rest`. */
export interface PairSql extends Written {
  /** Writes a row that is there or not. Undefined where that takes `update` and, without a row, `insert`. */
  readonly upsert: string | undefined;
  /** Parameters are `rest` and the free columns of `key`, then `key`. */
  readonly update: string;
  /** Columns of `key` whose types leave numbers as they are: SQLite finds 3.0 by 3, so they are written, too. */
  readonly free: readonly string[];
  readonly insert: string;
  readonly remove: string;
}

/** For a table without column pairs. */
export function pairSql(prepare: Prepare, mapping: Mapping, pair: Pair, side: SideName): PairSql {
  const { table } = pair[side];
  const written: Written = { table, key: keyNames(pair, side), rest: ownColumns(pair, side) };
  const columns = freeColumns(prepare, table);
  const free = written.key.filter((column) => columns.has(column));
  return {
    ...written,
    free,
    upsert: canUpsert(prepare, mapping, pair, side) ? upsertSql(written, free) : undefined,
    update: updateSql(table, [...written.rest, ...free], written.key),
    insert: insertSql(table, [...written.key, ...written.rest]),
    remove: deleteSql(table, written.key),
  };
}

/**
 * Whether one statement may write a row whether it is there or not, at half the time: not where rows
 * are told apart by a filter or found by what no index makes unique, nor where a column needs a value that
 * the pair does not give, nor where others' triggers would see an insert of a row that is only changed.
 */
function canUpsert(prepare: Prepare, mapping: Mapping, pair: Pair, side: SideName): boolean {
  const { table, where } = pair[side];
  if (where !== undefined || isColumnPair(pair, side)) return false;
  const key = keyNames(pair, side);
  const written = new Set([...key, ...ownColumns(pair, side)]);
  const needed = prepare(
    'SELECT name FROM pragma_table_info(?) WHERE "notnull" = 1 AND dflt_value IS NULL',
  )
    .pluck()
    .all(table) as string[];
  return (
    isUnique(uniqueColumns(prepare, table), key) &&
    needed.every((column) => written.has(column)) &&
    !foreignTriggers(prepare, mapping, side).some((trigger) => trigger.table === table)
  );
}

/** Whether an index makes rows unique by just these columns. */
export function isUnique(unique: readonly (readonly string[])[], key: readonly string[]): boolean {
  return unique.some(
    (columns) => columns.length === key.length && columns.every((column) => key.includes(column)),
  );
}

function upsertSql({ table, key, rest }: Written, free: readonly string[]): string {
  const set = [...rest, ...free].map((column) => `${name(column)} = excluded.${name(column)}`);
  return (
    `${insertSql(table, [...key, ...rest])} ON CONFLICT (${listSql(key)}) ` +
    `DO ${set.length > 0 ? `UPDATE SET ${set.join(', ')}` : 'NOTHING'}`
  );
}

/** Where there is nothing to set, it still says whether the row is there. */
export function updateSql(table: string, set: readonly string[], key: readonly string[]): string {
  const [first = ''] = key;
  const values = set.map((column) => `${name(column)} = ?`);
  const list = values.length > 0 ? values.join(', ') : `${name(first)} = ${name(first)}`;
  return `UPDATE ${name(table)} SET ${list} WHERE ${equalSql(key)}`;
}

export function insertSql(table: string, columns: readonly string[]): string {
  return (
    `INSERT INTO ${name(table)} (${listSql(columns)}) ` +
    `VALUES (${columns.map(() => '?').join(', ')})`
  );
}

export function deleteSql(table: string, key: readonly string[]): string {
  return `DELETE FROM ${name(table)} WHERE ${equalSql(key)}`;
}

/** Rows that have given values in columns. */
export function equalSql(columns: readonly string[]): string {
  return columns.map((column) => `${name(column)} = ?`).join(' AND ');
}

function listSql(columns: readonly string[]): string {
  return columns.map((column) => name(column)).join(', ');
}
