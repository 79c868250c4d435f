import { castSql, dataSql, listSql, sameSql } from './columns.ts';
import type { PassThrough, PassedThroughColumn } from './pass-through.ts';
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
  return `${insertSql(written)}\n${overSql(written)}`;
}

function overSql({ key, rest }: Omit<Written, 'table'>): string {
  const set = rest.map((column) => `${name(column.name)} = excluded.${name(column.name)}`);
  const then = set.length > 0 ? `DO UPDATE SET ${set.join(', ')}` : 'DO NOTHING';
  return `ON CONFLICT (${listSql(key)}) ${then}`;
}

const WHOLE: ReadonlySet<string> = new Set(['smallint', 'integer', 'bigint']);

/**
 * Writes rows as images have them; the parameter is a JSON array of images. To look for each row before
 * it is inserted makes that half as quick again, and most backlogs are of rows that are new: where no
 * row lies between the smallest key and the largest, nothing has to be looked for.
 */
export function passSql(table: string, passThrough: PassThrough): string {
  const [key, rest] = [passThrough.key, passThrough.rest].map((passed) =>
    passed.map(({ column }) => column),
  ) as [Column[], Column[]];
  const columns = listSql([...key, ...rest]);
  const into = `INSERT INTO ${name(table)} (${columns}) OVERRIDING SYSTEM VALUE\n  SELECT ${columns} FROM d`;
  const data = `WITH d AS MATERIALIZED (${imagesSql([...passThrough.key, ...passThrough.rest])})`;
  const over = overSql({ key, rest });
  const [first] = key;
  if (first === undefined || key.length > 1 || !WHOLE.has(first.declared)) {
    return `${data}\n${into}\n${over}`;
  }
  const column = name(first.name);
  return (
    `${data},\nmet AS MATERIALIZED (SELECT EXISTS (SELECT FROM ${name(table)} t\n` +
    `  WHERE t.${column} BETWEEN (SELECT min(${column}) FROM d) AND (SELECT max(${column}) FROM d)) AS meets),\n` +
    `fresh AS (${into} WHERE NOT (SELECT meets FROM met))\n` +
    `${into} WHERE (SELECT meets FROM met)\n${over}`
  );
}

/** Rows of images. What has a form of its own in JSON is read as text first, as everywhere. */
function imagesSql(passed: readonly PassedThroughColumn[]): string {
  const types = passed.map(({ column }, index) => {
    const type = WHOLE.has(column.declared) ? column.declared : 'text';
    return { type, value: type === 'text' ? castSql(column, `v.c${index}`) : `v.c${index}` };
  });
  const values = passed.map(
    ({ column }, index) => `${types[index]?.value} AS ${name(column.name)}`,
  );
  const named = passed.map(({ from }, index) => `${name(from)} ${types[index]?.type}`);
  const renamed = passed.map((_, index) => `c${index}`);
  return (
    `SELECT ${values.join(', ')} FROM (SELECT * FROM json_to_recordset($1::json)\n` +
    `  AS r (${named.join(', ')})) v (${renamed.join(', ')})`
  );
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
