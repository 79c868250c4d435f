import type { SideName } from '../../../routing/side.ts';
import {
  keyColumns,
  keyNames,
  keyOn,
  MappingError,
  pairColumns,
  pairKeyOf,
  realOf,
  textOfBytes,
} from '../../mapping/index.ts';
import type { Pair, PairKey, Row, SqlValue } from '../../mapping/index.ts';
import type { PairRow, RowReader } from '../../sides/side-database.ts';
import { castSql, columnsOf, keepsText, readSql, tableOf, textOf } from './columns.ts';
import type { PostgresClient } from './connection.ts';
import { filterSql } from './filter-sql.ts';
import { prepared } from './prepared.ts';
import { orderSql } from './key-order.ts';
import type { Column, Schemas } from './schema.ts';
import { isUtf8Sql, name } from './values.ts';

/** Reads pairs' rows of one side, inside somebody's transaction. */
export class PostgresRowReader implements RowReader {
  readonly #client: PostgresClient;
  readonly #side: SideName;
  readonly #schemas: Schemas;

  constructor(client: PostgresClient, side: SideName, schemas: Schemas) {
    this.#client = client;
    this.#side = side;
    this.#schemas = schemas;
  }

  async rows(pair: Pair, after: PairKey | null, limit: number): Promise<readonly PairRow[]> {
    const columns = pairColumns(pair, this.#side);
    const found = await this.#select(pair, columns, this.#range(pair, after), [
      ...this.#from(pair, after),
      limit,
    ]);
    return found.map((row) => {
      const key = pairKeyOf(pair, this.#side, row);
      if (key === undefined) throw new MappingError(`pair "${pair.name}": filter and key disagree`);
      return { key, row };
    });
  }

  async row(pair: Pair, key: PairKey): Promise<Row | undefined> {
    const where = keyOn(pair, this.#side, key);
    if (!canHold(this.#schemas, pair[this.#side].table, where)) return undefined;
    const keys = this.#columns(pair, Object.keys(where));
    const same = keys.map((column, index) => `t.${name(column.name)} = ${param(column, index)}`);
    const values = Object.values(where).map((value) => textOf(value));
    const columns = pairColumns(pair, this.#side);
    const [row] = await this.#select(pair, columns, `AND ${same.join(' AND ')}`, values);
    return row;
  }

  async keyAt(pair: Pair, after: PairKey | null, rows: number): Promise<PairKey | undefined> {
    const columns = keyNames(pair, this.#side);
    const from = this.#from(pair, after);
    const rest = `${this.#range(pair, after)} OFFSET $${from.length + 2}`;
    const [row] = await this.#select(pair, columns, rest, [...from, 1, rows - 1]);
    return row && pairKeyOf(pair, this.#side, row);
  }

  async count(pair: Pair): Promise<number> {
    const { table } = pair[this.#side];
    const { rows } = await this.#client.query<{ count: number }>(
      `SELECT count(*) AS count FROM ${name(table)} t WHERE ${filterSql(pair, this.#side, 't')}`,
    );
    return rows[0]?.count ?? 0;
  }

  async unkeyed(pair: Pair, limit: number): Promise<readonly Row[]> {
    const keys = this.#columns(pair, keyColumns(pair, this.#side));
    const usable = keys.flatMap((column) => usableSql(column));
    if (usable.length === 0) return [];
    const columns = pairColumns(pair, this.#side);
    return this.#select(pair, columns, `AND (${usable.join(' AND ')}) IS NOT TRUE LIMIT $1`, [
      limit,
    ]);
  }

  async #select(
    pair: Pair,
    columns: readonly string[],
    rest: string,
    values: readonly unknown[],
  ): Promise<Row[]> {
    const known = this.#columns(pair, columns);
    const read = known.map((column) => readSql(column, 't'));
    const { table } = pair[this.#side];
    const filter = filterSql(pair, this.#side, 't');
    const { rows } = await this.#client.query<SqlValue[]>({
      ...prepared(
        `SELECT ${read.join(', ')} FROM ${name(table)} t WHERE ${filter} ${rest}`,
        values,
      ),
      rowMode: 'array',
    });
    const reals = known.filter(({ kind }) => kind === 'real').map(({ name: column }) => column);
    return rows.map((found) => withReals(rowOf(known, found), reals));
  }

  /** In the order of keys, after a key where there is one, and not too many. */
  #range(pair: Pair, after: PairKey | null): string {
    const keys = this.#columns(pair, keyColumns(pair, this.#side));
    const own = after === null ? {} : keyOn(pair, this.#side, after);
    const { encoding } = tableOf(this.#schemas, pair[this.#side].table);
    const ordered = keys.map((column) => {
      const sql = orderSql(column, 't') ?? `t.${name(column.name)}`;
      // After a text that its column can't hold: by the texts of them all, which have the same order.
      return keeps(column, own[column.name], encoding) ? sql : `(${sql})::text COLLATE "C"`;
    });
    const present = keys.flatMap((column) => usableSql(column)).map((sql) => `AND ${sql} `);
    const order = `ORDER BY ${ordered.join(', ')} LIMIT $${after === null ? 1 : keys.length + 1}`;
    const limit = `${present.join('')}${order}`;
    if (after === null) return limit;
    const from = keys.map((column, index) =>
      keeps(column, own[column.name], encoding) ? param(column, index) : `$${index + 1}::text`,
    );
    return `AND (${ordered.join(', ')}) > (${from.join(', ')}) ${limit}`;
  }

  #from(pair: Pair, after: PairKey | null): readonly (string | null)[] {
    if (after === null) return [];
    const key = keyOn(pair, this.#side, after);
    const { encoding } = tableOf(this.#schemas, pair[this.#side].table);
    return keyColumns(pair, this.#side).map((column) => bound(key[column] ?? null, encoding));
  }

  #columns(pair: Pair, columns: readonly string[]): readonly Column[] {
    return columnsOf(this.#schemas, pair[this.#side].table, columns);
  }
}

/** What no text holds in a database of an encoding; in one of another encoding no text is a key. */
const NOT_HELD: Readonly<Record<string, RegExp>> = { LATIN1: /[\0\u0100-\uFFFF]/ };
const NUL = /\0/;

/** Whether a table can hold a key: no text of any table has a NUL in it, and a uuid is written in one way. */
export function canHold(schemas: Schemas, table: string, key: Row): boolean {
  const { encoding, byName } = tableOf(schemas, table);
  return Object.entries(key).every(
    ([column, value]) => isHeld(value, encoding) && keeps(byName.get(column), value, encoding),
  );
}

/** What must hold of a column so that its value can be a key; nothing where it always can. */
function usableSql({ name: column, nullable, kind }: Column): readonly string[] {
  const value = `t.${name(column)}`;
  return [
    ...(nullable ? [`${value} IS NOT NULL`] : []),
    ...(kind === 'rawText' ? [isUtf8Sql(value)] : []),
  ];
}

function keeps(column: Column | undefined, value: SqlValue | undefined, encoding: string): boolean {
  return typeof value !== 'string' || column === undefined || keepsText(column, value, encoding);
}

function isHeld(value: SqlValue, encoding: string): boolean {
  return typeof value !== 'string' || !(NOT_HELD[encoding] ?? NUL).test(value);
}

/**
 * A key after which to go on. Where no text here can be just that, the first one after it comes after
 * what is before the character in question: those that begin so and go on are before it if the
 * character is larger than any here, and after it if it is a NUL.
 */
function bound(value: SqlValue, encoding: string): string | null {
  const text = textOf(value);
  if (text === null || isHeld(text, encoding)) return text;
  const at = text.search(NOT_HELD[encoding] ?? NUL);
  return `${text.slice(0, at)}${text[at] === '\0' ? '' : LARGEST}`;
}

const LARGEST = '\u00FF'.repeat(16);

function param(column: Column, index: number): string {
  return castSql(column, `$${index + 1}::text`);
}

/** A row from values that were read as `readSql` does. */
export function rowOf(columns: readonly Column[], values: readonly SqlValue[]): Row {
  const row: Record<string, SqlValue> = {};
  for (const [index, { name: column, kind }] of columns.entries()) {
    const value = values[index] ?? null;
    row[column] = kind === 'rawText' && value instanceof Uint8Array ? textOfBytes(value) : value;
  }
  return row;
}

/** With numbers that say that they are real ones, as images do: SQLite may tell them from integers. */
function withReals(row: Row, reals: readonly string[]): Row {
  if (reals.length === 0) return row;
  const marked = reals.map((column): [string, SqlValue] => {
    const value = row[column] ?? null;
    return [column, typeof value === 'number' ? realOf(value, false) : value];
  });
  return { ...row, ...Object.fromEntries(marked) };
}
