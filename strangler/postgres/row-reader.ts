import type { SideName } from '../side.ts';
import {
  columnOn,
  keyColumns,
  keyNames,
  keyOn,
  MappingError,
  pairKeyOf,
} from '../mapping/index.ts';
import type { Pair, PairKey, Row, SqlValue } from '../mapping/index.ts';
import type { PairRow, RowReader } from '../side-database.ts';
import { castSql, columnsOf, readSql, textOf } from './columns.ts';
import type { PostgresClient } from './connection.ts';
import { filterSql } from './filter-sql.ts';
import { prepared } from './prepared.ts';
import { orderSql } from './schema.ts';
import type { Column, Schemas } from './schema.ts';
import { name } from './values.ts';

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

  async #select(
    pair: Pair,
    columns: readonly string[],
    rest: string,
    values: readonly unknown[],
  ): Promise<Row[]> {
    const read = this.#columns(pair, columns).map((column) => readSql(column, 't'));
    const { table } = pair[this.#side];
    const filter = filterSql(pair, this.#side, 't');
    const { rows } = await this.#client.query<SqlValue[]>({
      ...prepared(
        `SELECT ${read.join(', ')} FROM ${name(table)} t WHERE ${filter} ${rest}`,
        values,
      ),
      rowMode: 'array',
    });
    return rows.map((found) => rowOf(columns, found));
  }

  /** In the order of keys, after a key where there is one, and not too many. */
  #range(pair: Pair, after: PairKey | null): string {
    const keys = this.#columns(pair, keyColumns(pair, this.#side));
    const ordered = keys.map((column) => orderSql(column, 't') ?? `t.${name(column.name)}`);
    const limit = `ORDER BY ${ordered.join(', ')} LIMIT $${after === null ? 1 : keys.length + 1}`;
    if (after === null) return limit;
    const from = keys.map((column, index) => param(column, index));
    return `AND (${ordered.join(', ')}) > (${from.join(', ')}) ${limit}`;
  }

  #from(pair: Pair, after: PairKey | null): readonly (string | null)[] {
    if (after === null) return [];
    const key = keyOn(pair, this.#side, after);
    return keyColumns(pair, this.#side).map((column) => textOf(key[column] ?? null));
  }

  #columns(pair: Pair, columns: readonly string[]): readonly Column[] {
    return columnsOf(this.#schemas, pair[this.#side].table, columns);
  }
}

function param(column: Column, index: number): string {
  return castSql(column, `$${index + 1}::text`);
}

/** Columns of a pair's table that it reads, its filter's included. */
export function pairColumns(pair: Pair, side: SideName): readonly string[] {
  const mapped = [...pair.key, ...pair.columns].map((codec) => columnOn(codec, side));
  const filtered = Object.keys(pair[side].where ?? {});
  return [...new Set([...mapped.filter((column) => column !== null), ...filtered])];
}

/** A row from values that were read as `readSql` does. */
export function rowOf(columns: readonly string[], values: readonly SqlValue[]): Row {
  const row: Record<string, SqlValue> = {};
  for (const [index, column] of columns.entries()) row[column] = values[index] ?? null;
  return row;
}
