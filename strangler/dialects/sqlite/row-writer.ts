import type { SideName } from '../../../routing/side.ts';
import { isColumnPair, keyOn, MappingError, sameValue, tablesOf } from '../../mapping/index.ts';
import type { Mapping, Pair, Row, SqlValue } from '../../mapping/index.ts';
import type { PairWrite } from '../../replication/pair-write.ts';
import { hasKey, removalsOf, uniqueValuesOf } from '../../replication/rivals.ts';
import { SharedTable } from '../../replication/shared-table.ts';
import { exactSelect, readExactly } from './exact-read.ts';
import { freeColumns, uniqueColumns } from './schema.ts';
import type { Prepare } from './schema.ts';
import { bound, name } from './values.ts';
import { WaitingColumnPairs } from './waiting-column-pairs.ts';
import { deleteSql, equalSql, insertSql, pairSql, updateSql } from './write-sql.ts';
import type { PairSql } from './write-sql.ts';

/**
 * Writes pairs' rows on the side that is not the owner, for all who do: applier, copy and repair. Every
 * method belongs inside a write transaction with fig_clock.applying set. A row of a table without column
 * pairs is written by one statement, or by an update and an insert; any other is read, changed in memory and
 * written back.
 */
export class SqliteRowWriter {
  readonly #prepare: Prepare;
  readonly #mapping: Mapping;
  readonly #side: SideName;
  readonly #shared: ReadonlyMap<string, SharedTable | undefined>;
  /** Found out once: what a pair writes has the same columns each time. */
  readonly #sql = new Map<Pair, PairSql>();
  readonly #unique = new Map<string, readonly (readonly string[])[]>();
  readonly #free = new Map<string, ReadonlySet<string>>();

  /** @param prepare a statement that may write */
  constructor(prepare: Prepare, mapping: Mapping, side: SideName) {
    this.#prepare = prepare;
    this.#mapping = mapping;
    this.#side = side;
    this.#shared = new Map(
      tablesOf(mapping, side).map((table) => [table, SharedTable.of(mapping, side, table)]),
    );
  }

  /**
   * Writes a pair's columns of a row, or takes the row out.
   * @param overtaking whether rows here may be newer than this one, while a copy is being made; one of
   *   them may hold a unique value that this row had first
   * @throws MappingError
   */
  write(write: PairWrite, overtaking: boolean): void {
    try {
      this.#put(write);
    } catch (error) {
      if (!overtaking || !isUniqueViolation(error)) throw error;
      // The other row is newer than this one, so its own change is still to come and restores it.
      this.#evictRivals(write);
      this.#put(write);
    }
  }

  #put(write: PairWrite): void {
    const { pair, key, image } = write;
    const where = keyOn(pair, this.#side, key);
    const shared = this.#shared.get(pair[this.#side].table);
    if (shared !== undefined) {
      this.#putShared(shared, write, where);
      return;
    }
    const sql = this.#sqlOf(pair);
    if (image === null) {
      this.#run(sql.remove, where, sql.key);
      return;
    }
    if (sql.upsert !== undefined) {
      this.#run(sql.upsert, where, sql.key, image, sql.rest);
      return;
    }
    const row = { ...where, ...image };
    const changed = this.#run(sql.update, row, [...sql.rest, ...sql.free], where, sql.key);
    if (changed > 1) throw severalRows(pair);
    if (changed === 0) this.#run(sql.insert, where, sql.key, image, sql.rest);
  }

  #putShared(shared: SharedTable, write: PairWrite, where: Row): void {
    const { pair, image } = write;
    const { table } = pair[this.#side];
    const key = Object.keys(where);
    const [was, another] = this.#rowsLike(table, shared.columns, where);
    if (another !== undefined && image !== null) throw severalRows(pair);
    const waiting = new WaitingColumnPairs(this.#prepare, this.#mapping.capability);
    const row = shared.after(was, write, waiting);
    if (row === undefined) {
      if (was !== undefined) this.#run(deleteSql(table, key), where, key);
    } else if (was === undefined) {
      const columns = Object.keys(row);
      this.#run(insertSql(table, columns), row, columns);
    } else {
      const now = isColumnPair(pair, this.#side) ? row : { ...row, ...this.#freeOf(table, where) };
      const columns = Object.keys(now).filter(
        (column) => !sameValue(was[column] ?? null, now[column] ?? null),
      );
      if (columns.length > 0) this.#run(updateSql(table, columns, key), now, columns, where, key);
    }
    waiting.save();
  }

  /** SQLite finds 3.0 by 3: where a key may be either, it is written as well. */
  #freeOf(table: string, where: Row): Row {
    const free = this.#freeColumns(table);
    return Object.fromEntries(Object.entries(where).filter(([column]) => free.has(column)));
  }

  #evictRivals({ pair, key, image }: PairWrite): void {
    if (image === null) return;
    const { table } = pair[this.#side];
    const all = this.#columnsOf(table);
    const where = keyOn(pair, this.#side, key);
    const row: Row = { ...this.#rowsLike(table, all, where)[0], ...where, ...image };
    for (const values of uniqueValuesOf(row, this.#uniqueColumns(table))) {
      for (const rival of this.#rowsLike(table, all, values)) {
        if (hasKey(rival, where)) continue;
        for (const removal of removalsOf(this.#mapping, this.#side, table, rival)) {
          this.#put(removal);
        }
      }
    }
  }

  #rowsLike(table: string, columns: readonly string[], where: Row): readonly Row[] {
    const from = `FROM ${name(table)} WHERE ${equalSql(Object.keys(where))}`;
    const select = exactSelect(columns, from, this.#freeColumns(table));
    return readExactly(this.#prepare, select, Object.values(where)).map((found) =>
      Object.fromEntries(columns.map((column, index) => [column, found[index] ?? null])),
    );
  }

  #sqlOf(pair: Pair): PairSql {
    let sql = this.#sql.get(pair);
    if (sql === undefined) {
      sql = pairSql(this.#prepare, this.#mapping, pair, this.#side);
      this.#sql.set(pair, sql);
    }
    return sql;
  }

  #freeColumns(table: string): ReadonlySet<string> {
    const known = this.#free.get(table) ?? freeColumns(this.#prepare, table);
    this.#free.set(table, known);
    return known;
  }

  #columnsOf(table: string): readonly string[] {
    return this.#prepare('SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1')
      .pluck()
      .all(table) as string[];
  }

  #uniqueColumns(table: string): readonly (readonly string[])[] {
    const known = this.#unique.get(table) ?? uniqueColumns(this.#prepare, table);
    this.#unique.set(table, known);
    return known;
  }

  /**
   * Runs a statement with a row's values of columns, and another's after them.
   * @returns how many rows it has changed
   */
  #run(
    sql: string,
    row: Row,
    columns: readonly string[],
    other: Row = row,
    more: readonly string[] = [],
  ): number {
    // Into one array: this runs for each row that is written.
    const values: SqlValue[] = [];
    for (const column of columns) values.push(bound(row[column] ?? null));
    for (const column of more) values.push(bound(other[column] ?? null));
    return this.#prepare(sql).run(values).changes;
  }
}

function severalRows({ name: pair }: Pair): MappingError {
  return new MappingError(`pair "${pair}": its key names several rows`);
}

function isUniqueViolation(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY';
}
