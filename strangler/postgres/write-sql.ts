import { dataSql, listSql, sameSql } from './columns.ts';
import type { Column } from './schema.ts';
import { name } from './values.ts';

/** A table's columns by which rows are found, and those to write besides. */
export interface Written {
  readonly table: string;
  readonly key: readonly Column[];
  readonly rest: readonly Column[];
}

/** Parameters are `dataOf` the key's columns. */
export function deleteSql({ table, key }: Omit<Written, 'rest'>): string {
  return `DELETE FROM ${name(table)} t USING (${dataSql(key)}) d WHERE ${sameSql(key, 't', 'd')}`;
}

/** Parameters are `dataOf` the key's columns and the rest. */
export function insertSql({ table, key, rest }: Written): string {
  const columns = [...key, ...rest];
  return (
    `INSERT INTO ${name(table)} (${listSql(columns)}) OVERRIDING SYSTEM VALUE\n` +
    `SELECT ${listSql(columns, 'd')} FROM (${dataSql(columns)}) d`
  );
}

export function updateSql(written: Written): string {
  const data = dataSql([...written.key, ...written.rest]);
  return updateFrom(written, `(${data})`);
}

/** Writes rows that are there or not, where an index knows which by the whole key. */
export function upsertSql(written: Written): string {
  const { key, rest } = written;
  const set = rest.map((column) => `${name(column.name)} = excluded.${name(column.name)}`);
  const then = set.length > 0 ? `DO UPDATE SET ${set.join(', ')}` : 'DO NOTHING';
  return `${insertSql(written)}\nON CONFLICT (${listSql(key)}) ${then}`;
}

/**
 * The same where none does. The first column of the result says how many rows there were: more than
 * were given where the key names several.
 */
export function updateOrInsertSql(written: Written): string {
  const { table, key, rest } = written;
  const columns = [...key, ...rest];
  return (
    `WITH d AS (${dataSql(columns)}),\n` +
    `u AS (${updateFrom(written, 'd')} RETURNING d.nr),\n` +
    `i AS (INSERT INTO ${name(table)} (${listSql(columns)}) OVERRIDING SYSTEM VALUE\n` +
    `  SELECT ${listSql(columns, 'd')} FROM d WHERE d.nr NOT IN (SELECT nr FROM u))\n` +
    `SELECT count(*) - count(DISTINCT nr) AS twice FROM u`
  );
}

/** Where there is nothing to set, it still says which rows are there. */
function updateFrom({ table, key, rest }: Written, data: string): string {
  const set = (rest.length > 0 ? rest : key.slice(0, 1)).map(
    (column) => `${name(column.name)} = ${rest.length > 0 ? 'd' : 't'}.${name(column.name)}`,
  );
  const from = data === 'd' ? 'd' : `${data} d`;
  return `UPDATE ${name(table)} t SET ${set.join(', ')} FROM ${from} WHERE ${sameSql(key, 't', 'd')}`;
}
