import type { SideName } from '../../../routing/side.ts';
import { otherSide } from '../../../routing/side.ts';
import {
  MappingError,
  keyColumns,
  belongs,
  hasData,
  isCopy,
  resetValues,
  disjoint,
  isColumnPair,
  keyOn,
  ownColumns,
  pairKeyOf,
  sameValue,
  tablesOf,
  translate,
  worthOf,
} from '../../mapping/index.ts';
import type { Mapping, Pair, PairKey, Row, SqlValue } from '../../mapping/index.ts';
import type { Change } from '../../ledger/store.ts';
import type { SqliteConnection } from './connection.ts';
import { exactSelect, readExactly } from './exact-read.ts';
import { followersOf } from './followers.ts';
import type { Follower } from './followers.ts';
import { plainUpsert } from './plain-upsert.ts';
import type { PlainUpsert } from './plain-upsert.ts';
import { freeColumns, uniqueColumns } from './schema.ts';
import type { Prepare } from './schema.ts';
import { bound, name } from './values.ts';
import { WaitingColumnPairs } from './waiting-column-pairs.ts';

/** Columns by which rows are found, and columns to write; both become SQL in this order. */
type Columns = Readonly<Record<string, SqlValue>>;

/**
 * Writes pairs' rows on the side that is not the owner. Every method belongs inside a write
 * transaction with fig_clock.applying set.
 */
export class SqliteRowWriter {
  readonly #db: SqliteConnection;
  readonly #mapping: Mapping;
  readonly #side: SideName;
  readonly #bySourceTable: ReadonlyMap<string, readonly Pair[]>;
  readonly #columnPairs: ReadonlyMap<Pair, readonly Pair[]>;
  readonly #waiting: WaitingColumnPairs;
  readonly #followers: ReadonlyMap<Pair, readonly Follower[]>;
  /** SQL by pair: what a pair writes has the same columns each time. */
  readonly #updates = new Map<Pair, string>();
  readonly #inserts = new Map<Pair, string>();
  readonly #plain = new Map<Pair, PlainUpsert | null>();
  readonly #unique = new Map<string, readonly (readonly string[])[]>();
  readonly #free = new Map<string, ReadonlySet<string>>();

  constructor(connection: SqliteConnection, mapping: Mapping, side: SideName) {
    this.#db = connection;
    this.#mapping = mapping;
    this.#side = side;
    this.#waiting = new WaitingColumnPairs(connection, mapping.capability);
    const source = otherSide(side);
    this.#bySourceTable = new Map(
      tablesOf(mapping, source).map((table) => [
        table,
        mapping.pairs.filter((pair) => pair[source].table === table),
      ]),
    );
    this.#columnPairs = new Map(
      mapping.pairs.map((pair) => [pair, columnPairsOf(mapping, side, pair)]),
    );
    this.#followers = new Map(
      [...this.#columnPairs].map(([pair, columnPairs]) => [
        pair,
        followersOf(pair, columnPairs, side),
      ]),
    );
  }

  /**
   * @param overtaking whether rows here may be newer than the change, while a copy is being made;
   *   one of them may hold a unique value that the change's row had first
   */
  apply(change: Change, overtaking: boolean): void {
    const source = otherSide(this.#side);
    for (const pair of this.#bySourceTable.get(change.table) ?? []) {
      const row = change.op === 'upsert' ? (change.image as Row) : null;
      if (row !== null && this.#applyPlain(pair, source, row)) continue;
      // An image holds its row's key as well, and reading the other one takes time.
      const key = pairKeyOf(pair, source, row ?? (change.key as Row));
      if (key === undefined) continue;
      if (row !== null && belongs(pair, source, row)) {
        this.upsert(pair, key, translate(pair, source, row), overtaking);
      } else {
        this.remove(pair, key);
      }
    }
  }

  /** Most rows are written at once; whoever stands in their way is for `upsert` to see to. */
  #applyPlain(pair: Pair, source: SideName, row: Row): boolean {
    const whole = this.#plainOf(pair);
    if (whole === null || !belongs(pair, source, row)) return false;
    const values = whole.values(row);
    try {
      this.#db.write(whole.sql).run(values);
      return true;
    } catch (error) {
      if (isUniqueViolation(error)) return false;
      throw error;
    }
  }

  #plainOf(pair: Pair): PlainUpsert | null {
    let whole = this.#plain.get(pair);
    if (whole === undefined) {
      const prepare: Prepare = (sql) => this.#db.write(sql);
      whole = plainUpsert(prepare, this.#mapping, pair, this.#side) ?? null;
      this.#plain.set(pair, whole);
    }
    return whole;
  }

  upsert(pair: Pair, key: PairKey, image: Row, overtaking: boolean): void {
    try {
      this.#write(pair, key, image);
    } catch (error) {
      if (!overtaking || !isUniqueViolation(error)) throw error;
      // The other row is newer than this one, so its own change is still to come and restores it.
      this.#evictRivals(pair, key, image);
      this.#write(pair, key, image);
    }
  }

  remove(pair: Pair, key: PairKey): void {
    if (isColumnPair(pair, this.#side)) this.#reset(pair, key);
    else this.#removeRow(pair, key);
  }

  #write(pair: Pair, key: PairKey, image: Row): void {
    const where = keyOn(pair, this.#side, key);
    const changed = this.#update(pair, { ...image, ...this.#freeKey(pair, where) }, where);
    if (changed > 1) throw new MappingError(`pair "${pair.name}": its key names ${changed} rows`);
    if (changed === 1) return;
    if (isColumnPair(pair, this.#side)) this.#waiting.keep(pair, key, image);
    else this.#insert(pair, where, image);
  }

  #update(pair: Pair, values: Columns, where: Columns): number {
    const followers = this.#followers.get(pair) ?? [];
    let sql = this.#updates.get(pair);
    if (sql === undefined) {
      const set = [
        ...Object.keys(values).map((column) => `${name(column)} = ?`),
        ...followers.map((follower) => follower.set),
      ];
      sql = updateSql(pair[this.#side].table, set, where);
      this.#updates.set(pair, sql);
    }
    const followed = followers.map(({ of }) => values[of] ?? null);
    return this.#run(sql, [...Object.values(values), ...followed, ...Object.values(where)]);
  }

  /** SQLite finds 3.0 by 3: where a key may be either, it is written as well. */
  #freeKey(pair: Pair, where: Row): Row {
    if (isColumnPair(pair, this.#side)) return {};
    const free = this.#freeColumns(pair[this.#side].table);
    const columns = keyColumns(pair, this.#side).filter((column) => free.has(column));
    return Object.fromEntries(columns.map((column) => [column, where[column] ?? null]));
  }

  #freeColumns(table: string): ReadonlySet<string> {
    const known = this.#free.get(table) ?? freeColumns((sql) => this.#db.write(sql), table);
    this.#free.set(table, known);
    return known;
  }

  /** A new row starts with what its column pairs are waiting to write, or with what they fall back to. */
  #insert(pair: Pair, key: Row, image: Row): void {
    const columnPairs = this.#columnPairs.get(pair) ?? [];
    const { table } = pair[this.#side];
    const row: Record<string, SqlValue> = { ...key, ...image };
    for (const columnPair of columnPairs) {
      Object.assign(
        row,
        this.#takeWaiting(columnPair, key) ?? resetValues(columnPair[this.#side].resetTo, row),
      );
    }
    let sql = this.#inserts.get(pair);
    if (sql === undefined || columnPairs.length > 0) {
      sql = insertSql(table, Object.keys(row));
      this.#inserts.set(pair, sql);
    }
    this.#run(sql, Object.values(row));
  }

  #takeWaiting(columnPair: Pair, row: Row): Row | undefined {
    const key = pairKeyOf(columnPair, this.#side, row);
    return key && this.#waiting.take(columnPair, key);
  }

  /** What column pairs wrote outlives the row: REPLACE, say, is a delete and an insert of the base pair only. */
  #removeRow(pair: Pair, key: PairKey): void {
    const { table } = pair[this.#side];
    const where = keyOn(pair, this.#side, key);
    for (const columnPair of this.#columnPairs.get(pair) ?? []) {
      const row = this.#rowOf(columnPair, where);
      const columnPairKey = row && pairKeyOf(columnPair, this.#side, row);
      if (row === undefined || columnPairKey === undefined || !hasData(columnPair, this.#side, row))
        continue;
      const own = ownColumns(columnPair, this.#side).map((column) => [column, row[column] ?? null]);
      this.#waiting.keep(columnPair, columnPairKey, Object.fromEntries(own) as Row);
    }
    this.#run(`DELETE FROM ${name(table)} WHERE ${equals(where)}`, Object.values(where));
  }

  #rowOf(pair: Pair, where: Columns): Row | undefined {
    const { table } = pair[this.#side];
    const columns = this.#columnsOf(table);
    const select = exactSelect(
      columns,
      `FROM ${name(table)} WHERE ${equals(where)}`,
      this.#freeColumns(table),
    );
    const [found] = readExactly((sql) => this.#db.write(sql), select, Object.values(where));
    return (
      found && Object.fromEntries(columns.map((column, index) => [column, found[index] ?? null]))
    );
  }

  #columnsOf(table: string): readonly string[] {
    return this.#db
      .write('SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1')
      .pluck()
      .all(table) as string[];
  }

  #reset(pair: Pair, key: PairKey): void {
    const { table, resetTo = {} } = pair[this.#side];
    const where = keyOn(pair, this.#side, key);
    const set = Object.entries(resetTo).map(([column, value]) =>
      isCopy(value) ? `${name(column)} = ${name(value.copyOf)}` : `${name(column)} = ?`,
    );
    const values = Object.values(resetTo).filter((value) => !isCopy(value)) as SqlValue[];
    this.#run(`UPDATE ${name(table)} SET ${set.join(', ')} WHERE ${equals(where)}`, [
      ...values,
      ...Object.values(where),
    ]);
    this.#waiting.take(pair, key);
  }

  #evictRivals(pair: Pair, key: PairKey, image: Row): void {
    const { table } = pair[this.#side];
    const where = keyOn(pair, this.#side, key);
    const row = { ...this.#rowOf(pair, where), ...where, ...image };
    for (const columns of this.#uniqueColumns(table)) {
      const values = columns.map((column) => row[column] ?? null);
      if (values.includes(null)) continue;
      const rival = this.#rowOf(
        pair,
        Object.fromEntries(columns.map((c, i) => [c, values[i] ?? null])),
      );
      if (rival === undefined) continue;
      const itself = Object.entries(where).every(([c, value]) =>
        sameValue(worthOf(rival[c] ?? null), worthOf(value)),
      );
      if (!itself) this.#evict(table, rival);
    }
  }

  #evict(table: string, rival: Row): void {
    for (const pair of this.#mapping.pairs) {
      if (pair[this.#side].table !== table || isColumnPair(pair, this.#side)) continue;
      const key = pairKeyOf(pair, this.#side, rival);
      if (key !== undefined) this.#removeRow(pair, key);
    }
  }

  #uniqueColumns(table: string): readonly (readonly string[])[] {
    const known = this.#unique.get(table) ?? uniqueColumns((sql) => this.#db.write(sql), table);
    this.#unique.set(table, known);
    return known;
  }

  #run(sql: string, values: readonly SqlValue[]): number {
    return this.#db.write(sql).run(values.map((value) => bound(value))).changes;
  }
}

/** Pairs that live in the rows of this one. */
function columnPairsOf(mapping: Mapping, side: SideName, basePair: Pair): readonly Pair[] {
  if (isColumnPair(basePair, side)) return [];
  const { table } = basePair[side];
  return mapping.pairs.filter(
    (pair) =>
      isColumnPair(pair, side) && pair[side].table === table && !disjoint(basePair, pair, side),
  );
}

function updateSql(table: string, columns: readonly string[], where: Columns): string {
  // A pair that is only a key has nothing to set, but must still learn whether its row is there.
  const [first = ''] = Object.keys(where);
  const set = columns.length > 0 ? columns : [`${name(first)} = ${name(first)}`];
  return `UPDATE ${name(table)} SET ${set.join(', ')} WHERE ${equals(where)}`;
}

function insertSql(table: string, columns: readonly string[]): string {
  return (
    `INSERT INTO ${name(table)} (${columns.map((column) => name(column)).join(', ')}) ` +
    `VALUES (${columns.map(() => '?').join(', ')})`
  );
}

function equals(where: Columns): string {
  return Object.keys(where)
    .map((column) => `${name(column)} = ?`)
    .join(' AND ');
}

function isUniqueViolation(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY';
}
