import type { Statement } from 'better-sqlite3';
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
import { filterSql } from './filter-sql.ts';
import { bound, name, plain } from './values.ts';

type Prepare = (sql: string) => Statement;

interface PairSql {
  readonly columns: readonly string[];
  readonly first: string;
  readonly next: string;
  /** The key's columns, constants included. */
  readonly keys: readonly string[];
  readonly firstKey: string;
  readonly nextKey: string;
  readonly one: string;
  readonly count: string;
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
    return Number(this.#all(this.#sqlOf(pair).count, [])[0]?.[0] ?? 0);
  }

  #from(pair: Pair, after: PairKey | null): readonly SqlValue[] {
    if (after === null) return [];
    const key = keyOn(pair, this.#side, after);
    return keyColumns(pair, this.#side).map((column) => key[column] ?? null);
  }

  #all(sql: string, parameters: readonly SqlValue[]): SqlValue[][] {
    const statement = this.#prepare(sql).raw().safeIntegers();
    return statement.all(...parameters.map((value) => bound(value))) as SqlValue[][];
  }

  #sqlOf(pair: Pair): PairSql {
    const known = this.#sql.get(pair) ?? pairSql(pair, this.#side);
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
}

function toRow(columns: readonly string[], values: readonly SqlValue[]): Row {
  const row: Record<string, SqlValue> = {};
  for (const [index, column] of columns.entries()) row[column] = plain(values[index] ?? null);
  return row;
}

function pairSql(pair: Pair, side: SideName): PairSql {
  const mapped = [...pair.key, ...pair.columns].map((codec) => columnOn(codec, side));
  const all = [
    ...mapped.filter((column) => column !== null),
    ...Object.keys(pair[side].where ?? {}),
  ];
  const columns = [...new Set(all)];
  const keys = keyColumns(pair, side).map((column) => name(column));
  const filter = filterSql(pair, side);
  const select = `SELECT ${columns.map((column) => name(column)).join(', ')} FROM ${name(pair[side].table)}`;
  const order = `ORDER BY ${keys.join(', ')} LIMIT ?`;
  const after = `(${keys.join(', ')}) > (${keys.map(() => '?').join(', ')})`;
  const keyed = keyNames(pair, side);
  const one = keyed.map((column) => `${name(column)} = ?`);
  const selectKey = `SELECT ${keyed.map((column) => name(column)).join(', ')} FROM ${name(pair[side].table)}`;
  const nth = `ORDER BY ${keys.join(', ')} LIMIT 1 OFFSET ?`;
  return {
    columns,
    first: `${select} WHERE ${filter} ${order}`,
    next: `${select} WHERE ${filter} AND ${after} ${order}`,
    keys: keyed,
    firstKey: `${selectKey} WHERE ${filter} ${nth}`,
    nextKey: `${selectKey} WHERE ${filter} AND ${after} ${nth}`,
    one: `${select} WHERE ${filter} AND ${one.join(' AND ')}`,
    count: `SELECT count(*) FROM ${name(pair[side].table)} WHERE ${filter}`,
  };
}
