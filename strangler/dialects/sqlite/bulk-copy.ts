import type { SideName } from '../../../routing/side.ts';
import { otherSide } from '../../../routing/side.ts';
import { keyColumns, keyConstants, keyOn, mayBeBroken, usableKeyOf } from '../../mapping/index.ts';
import type { Mapping, Pair, PairKey, SqlValue } from '../../mapping/index.ts';
import type { BulkCopy, KeyRange, Target } from '../../sides/side-database.ts';
import { pairBulkCopySql, SOURCE } from './bulk-copy-sql.ts';
import type { Ends, PairBulkCopySql } from './bulk-copy-sql.ts';
import { SqliteConnection } from './connection.ts';
import { feedTable } from './tables.ts';
import { freeColumns, uniqueColumns } from './schema.ts';
import { applyAsTarget } from './as-target.ts';
import { SqliteTarget } from './target.ts';
import { bound, name, plain } from './values.ts';

type Prepare = (sql: string) => ReturnType<SqliteConnection['read']>;

interface BulkCopyOptions {
  readonly sourceFile: string;
  readonly targetFile: string;
  readonly mapping: Mapping;
  readonly owner: SideName;
}

/** A connection to the target's file that also reads the owner's: no row has to pass through here. */
export class SqliteBulkCopy implements BulkCopy {
  readonly #db: SqliteConnection;
  readonly #mapping: Mapping;
  readonly #owner: SideName;
  readonly #target: SqliteTarget;
  readonly #sql = new Map<Pair, PairBulkCopySql | undefined>();

  constructor({ sourceFile, targetFile, mapping, owner }: BulkCopyOptions) {
    this.#db = new SqliteConnection(`file:${targetFile}`, { name: SOURCE, file: sourceFile });
    this.#mapping = mapping;
    this.#owner = owner;
    this.#target = new SqliteTarget(this.#db, mapping, otherSide(owner));
  }

  get hasOtherWriters(): boolean {
    return this.#db.crowded;
  }

  equal(pair: Pair, after: PairKey | null, limit: number): Promise<KeyRange | null> {
    return this.#db.snapshot(() => {
      const sql = this.#sqlOf(pair);
      if (sql === undefined) return null;
      const prepare: Prepare = (text) => this.#db.read(text);
      // The target's moment must not be the later one: what is new there is not in the owner's.
      prepare('SELECT count(*) FROM main.fig_applied').get();
      const range = this.#range(prepare, sql, pair, after, limit);
      return range && this.#isEqual(prepare, sql, pair, after, range) ? range : null;
    });
  }

  apply<T>(epoch: number, work: (target: Target) => Promise<T>): Promise<T> {
    const { capability } = this.#mapping;
    return this.#db.transaction(
      () => applyAsTarget(this.#db, capability, epoch, this.#target, work),
      { durable: false },
    );
  }

  async copy(pair: Pair, after: PairKey | null, limit: number): Promise<KeyRange | null> {
    const sql = this.#sqlOf(pair);
    if (sql?.copy === undefined) return null;
    const prepare: Prepare = (text) => this.#db.write(text);
    const range = this.#range(prepare, sql, pair, after, limit);
    if (range === null) return null;
    const ends: Ends = { after: after !== null, upto: range.last !== null };
    this.#db.execute('SAVEPOINT fig_copy');
    try {
      const { changes } = prepare(sql.copy(ends)).run(
        ...this.#keys(pair, this.#owner, after, range.last),
      );
      // All of them were carried, and nothing else is there.
      if (
        changes === range.rows &&
        this.#countTarget(prepare, sql, pair, after, range) === changes
      ) {
        this.#db.execute('RELEASE fig_copy');
        return range;
      }
    } catch (error) {
      // A row that stands in another's way, or can't be carried: whoever goes row by row says which.
      if (!String((error as { code?: unknown }).code).startsWith('SQLITE_CONSTRAINT')) throw error;
    }
    this.#db.execute('ROLLBACK TO fig_copy');
    this.#db.execute('RELEASE fig_copy');
    return null;
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  #range(
    prepare: Prepare,
    sql: PairBulkCopySql,
    pair: Pair,
    after: PairKey | null,
    limit: number,
  ): KeyRange | null {
    const feed = `${SOURCE}.${name(feedTable(this.#mapping.capability))}`;
    const position = prepare(`SELECT max(position) FROM ${feed}`).pluck().get() as number;
    const start = this.#keys(pair, this.#owner, after, null);
    const values = prepare(sql.last(after !== null))
      .raw()
      .safeIntegers()
      .get(...start, limit - 1) as unknown[] | undefined;
    if (values !== undefined) {
      const last = this.#keyOf(pair, values);
      return last && { rows: limit, last, position };
    }
    const ends: Ends = { after: after !== null, upto: false };
    const rows = prepare(sql.countSource(ends))
      .pluck()
      .get(...start) as number;
    return { rows, last: null, position };
  }

  #isEqual(
    prepare: Prepare,
    sql: PairBulkCopySql,
    pair: Pair,
    after: PairKey | null,
    { rows, last }: KeyRange,
  ): boolean {
    const ends: Ends = { after: after !== null, upto: last !== null };
    if (this.#countTarget(prepare, sql, pair, after, { last }) !== rows) return false;
    const equal = prepare(sql.countEqual(ends))
      .pluck()
      .get(...this.#keys(pair, this.#owner, after, last)) as number;
    return equal === rows;
  }

  #countTarget(
    prepare: Prepare,
    sql: PairBulkCopySql,
    pair: Pair,
    after: PairKey | null,
    { last }: Pick<KeyRange, 'last'>,
  ): number {
    const ends: Ends = { after: after !== null, upto: last !== null };
    return prepare(sql.countTarget(ends))
      .pluck()
      .get(...this.#keys(pair, otherSide(this.#owner), after, last)) as number;
  }

  /** @returns null where a range would end with a row that has no partner: its key can't be carried */
  #keyOf(pair: Pair, values: readonly unknown[]): PairKey | null {
    if (values.some(mayBeBroken)) return null;
    const row: Record<string, SqlValue> = { ...keyConstants(pair, this.#owner) };
    for (const [index, column] of keyColumns(pair, this.#owner).entries()) {
      row[column] = plain(values[index] ?? null);
    }
    return usableKeyOf(pair, this.#owner, row) ?? null;
  }

  #keys(pair: Pair, side: SideName, ...keys: readonly (PairKey | null)[]): SqlValue[] {
    const columns = keyColumns(pair, side);
    return keys.flatMap((key) => {
      if (key === null) return [];
      const row = keyOn(pair, side, key);
      return columns.map((column) => bound(row[column] ?? null));
    });
  }

  #sqlOf(pair: Pair): PairBulkCopySql | undefined {
    if (!this.#sql.has(pair)) {
      const { table } = pair[otherSide(this.#owner)];
      const prepare: Prepare = (text) => this.#db.read(text);
      const facts = {
        unique: uniqueColumns(prepare, table),
        free: freeColumns(prepare, table),
      };
      this.#sql.set(pair, pairBulkCopySql(this.#mapping, pair, this.#owner, facts));
    }
    return this.#sql.get(pair);
  }
}
