import type { SideName } from '../side.ts';
import { otherSide } from '../side.ts';
import {
  belongs,
  isGuest,
  keyOn,
  pairKeyOf,
  sameValue,
  tablesOf,
  translate,
} from '../mapping/index.ts';
import type { Mapping, Pair, Row, SqlValue } from '../mapping/index.ts';
import { uniqueColumnsOf } from '../schema-check.ts';
import type { Change } from '../store.ts';
import { columnsOf, dataOf, dataSql, readSql, sameSql } from './columns.ts';
import type { PostgresClient } from './connection.ts';
import type { PairWrite, TableWrites } from './pair-write.ts';
import { PlainWrites } from './plain-writes.ts';
import { pairColumns, rowOf } from './row-reader.ts';
import type { Schemas } from './schema.ts';
import { SharedWrites } from './shared-writes.ts';
import { name } from './values.ts';

/** What changes of the owner come to on this side, pair by pair. @throws MappingError */
export function pairWritesOf(
  { pairs }: Mapping,
  side: SideName,
  { table, op, image, key: rowKey }: Change,
): PairWrite[] {
  const source = otherSide(side);
  const row = op === 'delete' ? null : (image as Row | null);
  const writes: PairWrite[] = [];
  for (const pair of pairs) {
    if (pair[source].table !== table) continue;
    const key = pairKeyOf(pair, source, row ?? (rowKey as Row));
    if (key === undefined) continue;
    const there = row !== null && belongs(pair, source, row);
    writes.push({ pair, key, image: there ? translate(pair, source, row) : null });
  }
  return writes;
}

/** Writes pairs' rows on the side that is not the owner, many with one statement. */
export class PostgresRowWriter {
  readonly #client: PostgresClient;
  readonly #mapping: Mapping;
  readonly #side: SideName;
  readonly #schemas: Schemas;

  constructor(client: PostgresClient, mapping: Mapping, side: SideName, schemas: Schemas) {
    this.#client = client;
    this.#mapping = mapping;
    this.#side = side;
    this.#schemas = schemas;
  }

  /**
   * Brings rows to where these writes, one after the other, would have left them. Rows that go make
   * room for those that come; parents come before their parts and go after them, where the mapping
   * names them in that order.
   */
  async write(writes: readonly PairWrite[]): Promise<void> {
    const tables: TableWrites[] = [];
    for (const table of tablesOf(this.#mapping, this.#side)) {
      const own = writes.filter(({ pair }) => pair[this.#side].table === table);
      if (own.length === 0) continue;
      const gathered = this.#writesTo(table);
      await gathered.load(own);
      for (const write of own) gathered.add(write);
      tables.push(gathered);
    }
    for (const table of tables.toReversed()) await table.remove();
    for (const table of tables) await table.put();
  }

  /** Takes out rows that hold a unique value which this write's row is to have. */
  async evictRivals({ pair, key, image }: PairWrite): Promise<void> {
    if (image === null) return;
    const { table } = pair[this.#side];
    const where = keyOn(pair, this.#side, key);
    const [found] = await this.#rowsLike(table, where);
    const row: Row = { ...found, ...where, ...image };
    for (const columns of uniqueColumnsOf(
      this.#schemas.get(table) ?? { columns: [], nullable: [], indexes: [] },
    )) {
      const values: Row = Object.fromEntries(
        columns.map((column) => [column, row[column] ?? null]),
      );
      if (Object.values(values).includes(null)) continue;
      for (const rival of await this.#rowsLike(table, values)) {
        if (!sameIn(where, rival)) await this.#evict(table, rival);
      }
    }
  }

  #writesTo(table: string): TableWrites {
    const [client, side, schemas] = [this.#client, this.#side, this.#schemas];
    const pairs = this.#mapping.pairs.filter((pair) => pair[side].table === table);
    if (!pairs.some((pair) => isGuest(pair, side))) return new PlainWrites(client, side, schemas);
    const { capability } = this.#mapping;
    return new SharedWrites({ client, capability, side, schemas, table, pairs });
  }

  async #evict(table: string, rival: Row): Promise<void> {
    for (const pair of this.#mapping.pairs) {
      if (pair[this.#side].table !== table || isGuest(pair, this.#side)) continue;
      const key = pairKeyOf(pair, this.#side, rival);
      if (key !== undefined) await this.write([{ pair, key, image: null }]);
    }
  }

  async #rowsLike(table: string, values: Row): Promise<Row[]> {
    const names = this.#columnsOf(table);
    const read = columnsOf(this.#schemas, table, names).map((column) => readSql(column, 't'));
    const by = columnsOf(this.#schemas, table, Object.keys(values));
    const { rows } = await this.#client.query<SqlValue[]>({
      text: `SELECT ${read.join(', ')} FROM (${dataSql(by)}) d
               JOIN ${name(table)} t ON ${sameSql(by, 't', 'd')}`,
      values: dataOf(by, [values]),
      rowMode: 'array',
    });
    return rows.map((found) => rowOf(names, found));
  }

  #columnsOf(table: string): readonly string[] {
    const pairs: readonly Pair[] = this.#mapping.pairs;
    const own = pairs.filter((pair) => pair[this.#side].table === table);
    return [...new Set(own.flatMap((pair) => pairColumns(pair, this.#side)))];
  }
}

function sameIn(where: Row, row: Row): boolean {
  return Object.entries(where).every(([column, value]) => sameValue(row[column] ?? null, value));
}
