import {
  disjoint,
  encodeValues,
  hasData,
  isCopy,
  isColumnPair,
  keyNames,
  keyOn,
  ownColumns,
  pairKeyOf,
  resetValues,
  sameValue,
} from '../../mapping/index.ts';
import type { Pair, PairKey, Row, SqlValue } from '../../mapping/index.ts';
import type { SideName } from '../../../routing/side.ts';
import { columnsOf, dataOf, dataSql, readSql, sameSql } from './columns.ts';
import type { PostgresClient } from './connection.ts';
import type { PairWrite, PairWrites } from './pair-write.ts';
import { prepared } from './prepared.ts';
import { pairColumns, rowOf } from './row-reader.ts';
import type { Schemas } from './schema.ts';
import { name } from './values.ts';
import { WaitingColumnPairs } from './waiting-column-pairs.ts';
import { deleteSql, insertSql, updateSql } from './write-sql.ts';

/** A row as it was found, and as it is to be. */
interface CurrentRow {
  readonly was: Row | undefined;
  now: Row | undefined;
}

interface SharedWritesOptions {
  readonly client: PostgresClient;
  readonly capability: string;
  readonly side: SideName;
  readonly schemas: Schemas;
  readonly table: string;
  /** All pairs of the table. */
  readonly pairs: readonly Pair[];
}

/**
 * Writes to a table whose rows are made of a base pair and its column pairs. Nobody else writes to this side,
 * so rows are read, changed in memory as each write says, and written back as they have come out.
 */
export class SharedWrites implements PairWrites {
  readonly #of: SharedWritesOptions;
  readonly #key: readonly string[];
  readonly #columns: readonly string[];
  readonly #held = new Map<string, CurrentRow>();
  readonly #waiting: WaitingColumnPairs;

  constructor(of: SharedWritesOptions) {
    this.#of = of;
    const [any] = of.pairs;
    this.#key = any === undefined ? [] : keyNames(any, of.side).toSorted();
    this.#columns = [...new Set(of.pairs.flatMap((pair) => pairColumns(pair, of.side)))];
    this.#waiting = new WaitingColumnPairs(of.client, of.capability);
  }

  async load(writes: readonly PairWrite[]): Promise<void> {
    const { client, side, schemas, table } = this.#of;
    const keys = new Map<string, Row>();
    for (const { pair, key } of writes) {
      const where = keyOn(pair, side, key);
      keys.set(this.#nameOf(where), where);
    }
    const key = columnsOf(schemas, table, this.#key);
    const columns = columnsOf(schemas, table, this.#columns);
    const read = columns.map((column) => readSql(column, 't'));
    const { rows } = await client.query<SqlValue[]>({
      ...prepared(
        `SELECT ${read.join(', ')} FROM (${dataSql(key)}) d
           JOIN ${name(table)} t ON ${sameSql(key, 't', 'd')}`,
        dataOf(key, [...keys.values()]),
      ),
      rowMode: 'array',
    });
    for (const values of rows) {
      const row = rowOf(columns, values);
      this.#held.set(this.#nameOf(row), { was: row, now: row });
    }
    await this.#waiting.load(this.#columnPairKeys(keys.values()));
  }

  add({ pair, key, image }: PairWrite): void {
    const where = keyOn(pair, this.#of.side, key);
    const held = this.#held.get(this.#nameOf(where)) ?? { was: undefined, now: undefined };
    this.#held.set(this.#nameOf(where), held);
    if (image === null) this.#leave(pair, key, held);
    else if (held.now !== undefined) held.now = this.#changed(pair, held.now, image);
    else if (isColumnPair(pair, this.#of.side)) this.#waiting.keep(pair, key, image);
    else held.now = this.#born(pair, { ...where, ...image });
  }

  async remove(): Promise<void> {
    const gone = this.#heldRows(({ was, now }) => was !== undefined && now === undefined);
    const rows = gone.map(({ was }) => was as Row);
    if (rows.length === 0) return;
    const { client, schemas, table } = this.#of;
    const key = columnsOf(schemas, table, this.#key);
    await client.query(prepared(deleteSql({ table, key }), dataOf(key, rows)));
  }

  async put(): Promise<void> {
    const made = this.#heldRows(({ was, now }) => was === undefined && now !== undefined);
    const changed = this.#heldRows(
      ({ was, now }) => was !== undefined && now !== undefined && !sameRow(was, now),
    );
    await this.#write(updateSql, changed);
    await this.#write(insertSql, made);
    await this.#waiting.save();
  }

  #leave(pair: Pair, key: PairKey, held: CurrentRow): void {
    const { side } = this.#of;
    if (isColumnPair(pair, side)) {
      const { now } = held;
      if (now !== undefined) held.now = { ...now, ...resetValues(pair[side].resetTo, now) };
      this.#waiting.take(pair, key);
      return;
    }
    // What column pairs wrote outlives the row: it may be a delete and an insert of the base pair only.
    for (const columnPair of held.now === undefined ? [] : this.#columnPairsOf(pair)) {
      const row = held.now as Row;
      const columnPairKey = pairKeyOf(columnPair, side, row);
      if (columnPairKey === undefined || !hasData(columnPair, side, row)) continue;
      const own = ownColumns(columnPair, side).map((column) => [column, row[column] ?? null]);
      this.#waiting.keep(columnPair, columnPairKey, Object.fromEntries(own) as Row);
    }
    held.now = undefined;
  }

  /** Columns that repeat another one follow it, while their own pair has nothing to say. */
  #changed(pair: Pair, before: Row, image: Row): Row {
    const { side } = this.#of;
    const row: Record<string, SqlValue> = { ...before, ...image };
    for (const columnPair of isColumnPair(pair, side) ? [] : this.#columnPairsOf(pair)) {
      if (hasData(columnPair, side, before)) continue;
      for (const [column, value] of Object.entries(columnPair[side].resetTo ?? {})) {
        if (isCopy(value) && value.copyOf in image) row[column] = row[value.copyOf] ?? null;
      }
    }
    return row;
  }

  /** A new row starts with what its column pairs are waiting to write, or with what they fall back to. */
  #born(pair: Pair, image: Row): Row {
    const { side } = this.#of;
    let row = image;
    for (const columnPair of this.#columnPairsOf(pair)) {
      const key = pairKeyOf(columnPair, side, row);
      const own = key && this.#waiting.take(columnPair, key);
      row = { ...row, ...(own ?? resetValues(columnPair[side].resetTo, row)) };
    }
    return row;
  }

  #columnPairsOf(basePair: Pair): readonly Pair[] {
    const { pairs, side } = this.#of;
    return pairs.filter((pair) => isColumnPair(pair, side) && !disjoint(basePair, pair, side));
  }

  #columnPairKeys(rows: Iterable<Row>): [Pair, PairKey][] {
    const { pairs, side } = this.#of;
    const columnPairs = pairs.filter((pair) => isColumnPair(pair, side));
    return [...rows].flatMap((row) =>
      columnPairs.flatMap((columnPair): [Pair, PairKey][] => {
        const key = pairKeyOf(columnPair, side, row);
        return key === undefined ? [] : [[columnPair, key]];
      }),
    );
  }

  #heldRows(is: (held: CurrentRow) => boolean): CurrentRow[] {
    return [...this.#held.values()].filter((held) => is(held));
  }

  /** One statement for all rows with the same columns. */
  async #write(sqlOf: typeof updateSql, held: readonly CurrentRow[]): Promise<void> {
    const { client, schemas, table } = this.#of;
    const groups = new Map<string, Row[]>();
    for (const { now } of held) {
      const row = now as Row;
      const columns = JSON.stringify(Object.keys(row).sort());
      const group = groups.get(columns) ?? [];
      groups.set(columns, group);
      group.push(row);
    }
    for (const [columns, rows] of groups) {
      const rest = (JSON.parse(columns) as string[]).filter(
        (column) => !this.#key.includes(column),
      );
      const written = {
        table,
        key: columnsOf(schemas, table, this.#key),
        rest: columnsOf(schemas, table, rest),
      };
      const data = dataOf([...written.key, ...written.rest], rows);
      await client.query(prepared(sqlOf(written), data));
    }
  }

  #nameOf(row: Row): string {
    return encodeValues(this.#key.map((column) => row[column] ?? null));
  }
}

function sameRow(left: Row, right: Row): boolean {
  return Object.entries(right).every(([column, value]) => sameValue(left[column] ?? null, value));
}
