import type { Statement } from 'better-sqlite3';
import type { SideName } from '../../../routing/side.ts';
import {
  keyColumns,
  keyNames,
  keyOn,
  MappingError,
  pairColumns,
  pairKeyOf,
} from '../../mapping/index.ts';
import type { Pair, PairKey, Row, SqlValue } from '../../mapping/index.ts';
import type { PairRow, RowReader } from '../../sides/side-database.ts';
import { exactSelect, readExactly } from './exact-read.ts';
import type { ExactSelect } from './exact-read.ts';
import { filterSql } from './filter-sql.ts';
import { freeColumns } from './schema.ts';
import { name } from './values.ts';

type Prepare = (sql: string) => Statement;

interface PairSql {
  readonly columns: readonly string[];
  readonly first: ExactSelect;
  readonly next: ExactSelect;
  /** The key's columns, constants included. */
  readonly keys: readonly string[];
  readonly firstKey: ExactSelect;
  readonly nextKey: ExactSelect;
  readonly one: ExactSelect;
  readonly count: string;
  readonly unkeyed: ExactSelect;
}

/** Reads pairs' rows of one side over either connection. */
export class SqliteRowReader {
  readonly #prepare: Prepare;
  readonly #side: SideName;
  readonly #sql = new Map<Pair, PairSql>();

  constructor(prepare: Prepare, side: SideName) {
    this.#prepare = prepare;
    this.#side = side;
  }

  rows(pair: Pair, after: PairKey | null, limit: number): readonly PairRow[] {
    const sql = this.#sqlOf(pair);
    const side = this.#side;
    const found = this.#all(after === null ? sql.first : sql.next, [
      ...this.#from(pair, after),
      limit,
    ]);
    return found.map((values) => {
      const row = toRow(sql.columns, values);
      const key = pairKeyOf(pair, side, row);
      if (key === undefined) throw new MappingError(`pair "${pair.name}": filter and key disagree`);
      return { key, row };
    });
  }

  row(pair: Pair, key: PairKey): Row | undefined {
    const sql = this.#sqlOf(pair);
    const where = keyOn(pair, this.#side, key);
    const [values] = this.#all(
      sql.one,
      sql.keys.map((column) => where[column] ?? null),
    );
    return values && toRow(sql.columns, values);
  }

  keyAt(pair: Pair, after: PairKey | null, rows: number): PairKey | undefined {
    const sql = this.#sqlOf(pair);
    const offset = [...this.#from(pair, after), rows - 1];
    const [values] = this.#all(after === null ? sql.firstKey : sql.nextKey, offset);
    return values && pairKeyOf(pair, this.#side, toRow(sql.keys, values));
  }

  count(pair: Pair): number {
    return this.#prepare(this.#sqlOf(pair).count).pluck().get() as number;
  }

  unkeyed(pair: Pair, limit: number): readonly Row[] {
    const sql = this.#sqlOf(pair);
    return this.#all(sql.unkeyed, [limit]).map((values) => toRow(sql.columns, values));
  }

  #from(pair: Pair, after: PairKey | null): readonly SqlValue[] {
    if (after === null) return [];
    const key = keyOn(pair, this.#side, after);
    return keyColumns(pair, this.#side).map((column) => key[column] ?? null);
  }

  #all(sql: ExactSelect, parameters: readonly SqlValue[]): SqlValue[][] {
    return readExactly(this.#prepare, sql, parameters);
  }

  #sqlOf(pair: Pair): PairSql {
    const { table } = pair[this.#side];
    const known =
      this.#sql.get(pair) ?? pairSql(pair, this.#side, freeColumns(this.#prepare, table));
    this.#sql.set(pair, known);
    return known;
  }
}

/** The same for whoever waits, as they must with other databases. */
export class AwaitedRows implements RowReader {
  readonly #reader: SqliteRowReader;

  constructor(reader: SqliteRowReader) {
    this.#reader = reader;
  }

  async rows(pair: Pair, after: PairKey | null, limit: number): Promise<readonly PairRow[]> {
    return this.#reader.rows(pair, after, limit);
  }

  async row(pair: Pair, key: PairKey): Promise<Row | undefined> {
    return this.#reader.row(pair, key);
  }

  async keyAt(pair: Pair, after: PairKey | null, rows: number): Promise<PairKey | undefined> {
    return this.#reader.keyAt(pair, after, rows);
  }

  async count(pair: Pair): Promise<number> {
    return this.#reader.count(pair);
  }

  async unkeyed(pair: Pair, limit: number): Promise<readonly Row[]> {
    return this.#reader.unkeyed(pair, limit);
  }
}

function toRow(columns: readonly string[], values: readonly SqlValue[]): Row {
  const row: Record<string, SqlValue> = {};
  for (const [index, column] of columns.entries()) row[column] = values[index] ?? null;
  return row;
}

function pairSql(pair: Pair, side: SideName, free: ReadonlySet<string>): PairSql {
  const select = (some: readonly string[], rest: string): ExactSelect =>
    exactSelect(some, rest, free);
  const columns = pairColumns(pair, side);
  const keys = keyColumns(pair, side).map((column) => name(column));
  const usable = keys.map((column) => usableSql(column)).join(' AND ');
  const filter = filterSql(pair, side);
  const from = `FROM ${name(pair[side].table)} WHERE ${filter}`;
  const order = `ORDER BY ${keys.join(', ')} LIMIT ?`;
  const after = `(${keys.join(', ')}) > (${keys.map(() => '?').join(', ')})`;
  const keyed = keyNames(pair, side);
  const one = keyed.map((column) => `${name(column)} = ?`);
  const nth = `ORDER BY ${keys.join(', ')} LIMIT 1 OFFSET ?`;
  return {
    columns,
    first: select(columns, `${from} AND ${usable} ${order}`),
    next: select(columns, `${from} AND ${after} AND ${usable} ${order}`),
    keys: keyed,
    firstKey: select(keyed, `${from} AND ${usable} ${nth}`),
    nextKey: select(keyed, `${from} AND ${after} AND ${usable} ${nth}`),
    one: select(columns, `${from} AND ${one.join(' AND ')}`),
    count: `SELECT count(*) ${from}`,
    unkeyed: select(columns, `${from} AND NOT (${usable}) LIMIT ?`),
  };
}

/** What most keys are has not to be looked at byte by byte; GLOB and length() end at a NUL. */
const NOT_ASCII = `'*[^\u0001-\u007F]*'`;

/** Whether a key's column holds what another database can hold as well; see `addFunctions`. */
export function usableSql(column: string): string {
  return (
    `${column} IS NOT NULL AND (typeof(${column}) <> 'text'` +
    ` OR (octet_length(${column}) = length(${column}) AND ${column} NOT GLOB ${NOT_ASCII})` +
    ` OR fig_is_utf8(CAST(${column} AS BLOB)))`
  );
}
