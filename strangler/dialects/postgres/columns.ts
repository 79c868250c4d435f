import { isWhole, MappingError, shown } from '../../mapping/index.ts';
import type { Row, SqlValue } from '../../mapping/index.ts';
import type { Column, Schemas, TableSchema } from './schema.ts';
import { bytesSql, LONGEST_NAME, name, timeSql } from './values.ts';

/** What a database says of a table. @throws when there is none */
export function tableOf(schemas: Schemas, table: string): TableSchema {
  const known = schemas.get(table);
  if (known === undefined) throw new Error(`no such table: ${table}`);
  return known;
}

/** What a database says of some of a table's columns. @throws when it has no such column */
export function columnsOf(
  schemas: Schemas,
  table: string,
  columns: readonly string[],
): readonly Column[] {
  return columns.map((column) => {
    const known = schemas.get(table)?.byName.get(column);
    if (known === undefined) throw new Error(`no such column: ${table}.${column}`);
    return known;
  });
}

/** Whether an index knows at once, by just these columns, if a row is there. */
export function canDecide(schemas: Schemas, table: string, key: readonly string[]): boolean {
  return (schemas.get(table)?.indexes ?? []).some(
    ({ unique, deferrable, columns }) =>
      unique &&
      deferrable !== true &&
      columns.length === key.length &&
      columns.every((column) => key.includes(column)),
  );
}

/** SQL that reads a column in the form that images have. */
export function readSql({ name: column, kind }: Column, row: string): string {
  const whole = `${row}.${name(column)}`;
  if (kind === 'boolean') return `${whole}::int`;
  if (kind === 'time') return timeSql(whole);
  // As bytes, since one text that is no UTF-8 would fail all that are read with it; see `rowOf`.
  if (kind === 'rawText') return bytesSql(whole);
  return kind === 'text' ? `${whole}::text` : whole;
}

const TEXTS: ReadonlySet<string> = new Set(['text', 'varchar', 'bpchar']);

/**
 * SQL that makes a column's value of its text. What is too long is not cut off, as a cast to the whole
 * declaration would do: the column itself refuses it.
 */
export function castSql({ type, declared }: Column, expression: string): string {
  if (TEXTS.has(type)) return expression;
  // Without its length it would be cut to a single bit.
  if (type === 'bit') return `${expression}::varbit`;
  if (type === 'uuid')
    return exactly(expression, 'uuid', `${expression}::uuid::text = ${expression}`);
  if (type === 'name')
    return exactly(expression, 'name', `octet_length(${expression}) <= ${LONGEST_NAME}`);
  return `${expression}::${declared.replace(/\([^)]*\)/, '')}`;
}

/**
 * SQL for types that take other texts without an error and keep something else, such as a uuid in capital
 * letters: it fails for these, in words that say why.
 */
function exactly(expression: string, type: string, isKept: string): string {
  const refused = `('a ${type} would keep this as another text: ' || ${expression})::int::text::${type}`;
  return `CASE WHEN ${isKept} THEN ${expression}::${type} ELSE ${refused} END`;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether a column can hold just this text: what `castSql` decides in SQL, for look-ups, which must not fail. */
export function keepsText({ type, labels }: Column, value: string, encoding: string): boolean {
  if (type === 'uuid') return UUID.test(value);
  if (type === 'name') {
    return (encoding === 'LATIN1' ? value.length : Buffer.byteLength(value)) <= LONGEST_NAME;
  }
  return labels?.includes(value) ?? true;
}

/**
 * A value as text that `castSql` takes.
 * @throws MappingError for a text of which the driver would make another one
 */
export function textOf(value: SqlValue): string | null {
  if (value === null) return value;
  if (!isWhole(value)) throw new MappingError(`${shown(value)} is no UTF-8`);
  if (typeof value === 'string') return value;
  if (Object.is(value, -0)) return '-0';
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  return String(value);
}

/** The texts of rows by column, as parameters for `dataSql`. */
export function dataOf(columns: readonly Column[], rows: readonly Row[]): (string | null)[][] {
  return columns.map(({ name: column }) => rows.map((row) => textOf(row[column] ?? null)));
}

/** SQL that makes rows of `dataOf`, with `nr` from 1 in their order. */
export function dataSql(columns: readonly Column[]): string {
  const values = columns.map(
    (column, index) => `${castSql(column, `u.c${index}`)} AS ${name(column.name)}`,
  );
  const arrays = columns.map((_, index) => `$${index + 1}::text[]`);
  const names = columns.map((_, index) => `c${index}`);
  return (
    `SELECT ${[...values, 'u.nr'].join(', ')} ` +
    `FROM unnest(${arrays.join(', ')}) WITH ORDINALITY u (${[...names, 'nr'].join(', ')})`
  );
}

/** SQL that says that two rows agree in columns. */
export function sameSql(columns: readonly Column[], left: string, right: string): string {
  return columns
    .map(({ name: column }) => `${left}.${name(column)} = ${right}.${name(column)}`)
    .join(' AND ');
}

/** A list of columns. */
export function listSql(columns: readonly Column[], row?: string): string {
  return columns
    .map(({ name: column }) => (row === undefined ? name(column) : `${row}.${name(column)}`))
    .join(', ');
}
