import type { SideName } from '../../../routing/side.ts';
import { otherSide } from '../../../routing/side.ts';
import { keyOn, pairColumns, tablesOf } from '../../mapping/index.ts';
import type { Mapping, Pair, Row, SqlValue } from '../../mapping/index.ts';
import { uniqueColumnsOf } from '../../check/schema-check.ts';
import { ApplyError } from '../../sides/side-database.ts';
import type { Change } from '../../ledger/store.ts';
import { pairWriteOf } from '../../replication/pair-write.ts';
import type { PairWrite } from '../../replication/pair-write.ts';
import { hasKey, removalsOf, uniqueValuesOf } from '../../replication/rivals.ts';
import { columnsOf, dataOf, dataSql, readSql, sameSql } from './columns.ts';
import type { PostgresClient } from './connection.ts';
import { passThroughsOf } from './pass-through.ts';
import type { PassThrough } from './pass-through.ts';
import { PassedWrites } from './passed-writes.ts';
import { isPoison } from './poison.ts';
import { rowOf } from './row-reader.ts';
import type { Schemas } from './schema.ts';
import { TableWrites } from './table-writes.ts';
import { name } from './values.ts';

/** Writes pairs' rows on the side that is not the owner, many with one statement. */
export class PostgresRowWriter {
  readonly #client: PostgresClient;
  readonly #mapping: Mapping;
  readonly #side: SideName;
  readonly #schemas: Schemas;
  readonly #pairs = new Map<string, readonly Pair[]>();

  constructor(client: PostgresClient, mapping: Mapping, side: SideName, schemas: Schemas) {
    this.#client = client;
    this.#mapping = mapping;
    this.#side = side;
    this.#schemas = schemas;
  }

  /**
   * Brings rows to where these changes, one after the other, would have left them.
   * @throws ApplyError for a change that the mapping can't carry
   */
  async apply(changes: readonly Change[]): Promise<void> {
    const passThroughs = passThroughsOf(this.#mapping, this.#side, this.#schemas);
    const passed = new Map<string, PassedWrites>();
    const writes: PairWrite[] = [];
    const source = otherSide(this.#side);
    for (const change of changes) {
      try {
        for (const pair of this.#pairsOf(change.table)) {
          const passThrough = passThroughs.get(pair);
          if (passThrough !== undefined) {
            this.#passedTo(passed, passThrough).pass(change);
            continue;
          }
          const write = pairWriteOf(pair, source, change);
          if (write !== undefined) writes.push(write);
        }
      } catch (error) {
        throw new ApplyError(change, error, isPoison(error));
      }
    }
    await this.#carryOut(writes, passed);
  }

  /** The same for what has been made of changes already. */
  write(writes: readonly PairWrite[]): Promise<void> {
    return this.#carryOut(writes, new Map());
  }

  /** Takes out rows that hold a unique value which this write's row is to have. */
  async evictRivals({ pair, key, image }: PairWrite): Promise<void> {
    if (image === null) return;
    const { table } = pair[this.#side];
    const where = keyOn(pair, this.#side, key);
    const [found] = await this.#rowsLike(table, where);
    const row: Row = { ...found, ...where, ...image };
    const facts = this.#schemas.get(table) ?? { columns: [], nullable: [], indexes: [] };
    for (const values of uniqueValuesOf(row, uniqueColumnsOf(facts))) {
      for (const rival of await this.#rowsLike(table, values)) {
        if (hasKey(rival, where)) continue;
        for (const removal of removalsOf(this.#mapping, this.#side, table, rival)) {
          await this.write([removal]);
        }
      }
    }
  }

  /**
   * Rows that go make room for those that come; parents come before their parts and go after them,
   * where the mapping names them in that order.
   */
  async #carryOut(
    writes: readonly PairWrite[],
    passed: ReadonlyMap<string, PassedWrites>,
  ): Promise<void> {
    const tables: (TableWrites | PassedWrites)[] = [];
    for (const table of tablesOf(this.#mapping, this.#side)) {
      const own = writes.filter(({ pair }) => pair[this.#side].table === table);
      const whole = passed.get(table);
      if (whole !== undefined) tables.push(whole);
      if (own.length === 0) continue;
      const gathered = this.#writesTo(table);
      await gathered.add(own);
      tables.push(gathered);
    }
    for (const table of tables.toReversed()) await table.remove();
    for (const table of tables) await table.put();
  }

  /** The pairs of one of the owner's tables. */
  #pairsOf(table: string): readonly Pair[] {
    let pairs = this.#pairs.get(table);
    if (pairs === undefined) {
      const source = otherSide(this.#side);
      pairs = this.#mapping.pairs.filter((pair) => pair[source].table === table);
      this.#pairs.set(table, pairs);
    }
    return pairs;
  }

  #passedTo(passed: Map<string, PassedWrites>, passThrough: PassThrough): PassedWrites {
    const { table } = passThrough.pair[this.#side];
    let writes = passed.get(table);
    if (writes === undefined) {
      writes = new PassedWrites(this.#client, this.#side, passThrough, this.#writesTo(table));
      passed.set(table, writes);
    }
    return writes;
  }

  #writesTo(table: string): TableWrites {
    const [client, mapping, side, schemas] = [
      this.#client,
      this.#mapping,
      this.#side,
      this.#schemas,
    ];
    return new TableWrites({ client, mapping, side, schemas, table });
  }

  async #rowsLike(table: string, values: Row): Promise<Row[]> {
    const columns = columnsOf(this.#schemas, table, this.#columnsOf(table));
    const read = columns.map((column) => readSql(column, 't'));
    const by = columnsOf(this.#schemas, table, Object.keys(values));
    const { rows } = await this.#client.query<SqlValue[]>({
      text: `SELECT ${read.join(', ')} FROM (${dataSql(by)}) d
               JOIN ${name(table)} t ON ${sameSql(by, 't', 'd')}`,
      values: dataOf(by, [values]),
      rowMode: 'array',
    });
    return rows.map((found) => rowOf(columns, found));
  }

  #columnsOf(table: string): readonly string[] {
    const pairs: readonly Pair[] = this.#mapping.pairs;
    const own = pairs.filter((pair) => pair[this.#side].table === table);
    return [...new Set(own.flatMap((pair) => pairColumns(pair, this.#side)))];
  }
}
