import type { SideName } from '../../../routing/side.ts';
import { readFollowed } from '../../ledger/index.ts';
import { compareKeys, decodeRow, pairKeyOf, secretColumnsOf } from '../../mapping/index.ts';
import type { Mapping, Pair, PairKey, Row, SqlValue } from '../../mapping/index.ts';
import type { ChangedKey, RowName, Snapshot } from '../../sides/side-database.ts';
import { PackedChange } from '../../replication/packed-change.ts';
import type { PackedRow } from '../../replication/packed-change.ts';
import type { Change } from '../../ledger/store.ts';
import { columnsOf, dataOf, dataSql, readSql, sameSql } from './columns.ts';
import type { PostgresClient } from './connection.ts';
import { PACKED } from './feed-reader.ts';
import { PostgresTx } from './ledger.ts';
import { prepared } from './prepared.ts';
import { PostgresRowReader, rowOf } from './row-reader.ts';
import type { Schemas } from './schema.ts';
import { captureTable, feedTable } from './tables.ts';
import { name } from './values.ts';

/** Changes looked through for a row's newest one: it is asked for rows that change all the time. */
const LOOK_BACK = 2_000;

/** Reads of one moment, in a transaction that sees one. */
export class PostgresSnapshot extends PostgresRowReader implements Snapshot {
  readonly #client: PostgresClient;
  readonly #mapping: Mapping;
  readonly #side: SideName;
  readonly #schemas: Schemas;

  constructor(client: PostgresClient, mapping: Mapping, side: SideName, schemas: Schemas) {
    super(client, side, schemas);
    this.#client = client;
    this.#mapping = mapping;
    this.#side = side;
    this.#schemas = schemas;
  }

  async applied(): Promise<number> {
    const tx = new PostgresTx(this.#client);
    return (await readFollowed(tx, this.#mapping.capability, this.#side)).position;
  }

  async last(): Promise<number> {
    const { rows } = await this.#client.query<{ last: number }>(
      `SELECT coalesce(max(position), 0) AS last FROM ${name(feedTable(this.#mapping.capability))}`,
    );
    return rows[0]?.last ?? 0;
  }

  /** What is visible here and has no position yet will get one behind all others. */
  async changedSince(pair: Pair, after: number): Promise<readonly ChangedKey[]> {
    const { capability } = this.#mapping;
    const { rows } = await this.#client.query<{
      key: string;
      epoch: number;
      position: number | null;
    }>(
      `(SELECT key, epoch, position FROM ${name(feedTable(capability))} WHERE position > $1 AND tbl = $2
         ORDER BY position)
       UNION ALL SELECT key, epoch, NULL FROM ${name(captureTable(capability))} WHERE tbl = $2`,
      [after, pair[this.#side].table],
    );
    return rows.flatMap(({ key: named, epoch, position }) => {
      const key = pairKeyOf(pair, this.#side, decodeRow(named));
      return key === undefined ? [] : [{ key, epoch, position }];
    });
  }

  async secrets(rows: readonly RowName[]): Promise<readonly (Row | undefined)[]> {
    const found = new Map<RowName, Row>();
    for (const table of new Set(rows.map((row) => row.table))) {
      const named = rows.filter((row) => row.table === table);
      for (const [row, secrets] of await this.#secretsIn(table, named)) found.set(row, secrets);
    }
    return rows.map((row) => found.get(row));
  }

  async changeAt(pair: Pair, key: PairKey, upto: number): Promise<Change | undefined> {
    const { rows } = await this.#client.query<never>({
      text: `SELECT ${PACKED} FROM ${name(feedTable(this.#mapping.capability))}
               WHERE position <= $1 AND tbl = $2 ORDER BY position DESC LIMIT ${LOOK_BACK}`,
      values: [upto, pair[this.#side].table],
      rowMode: 'array',
    });
    for (const row of rows as PackedRow[]) {
      const change = new PackedChange(row);
      const own = pairKeyOf(pair, this.#side, change.key);
      if (own !== undefined && compareKeys(own, key) === 0) return change;
    }
    return undefined;
  }

  async #secretsIn(table: string, named: readonly RowName[]): Promise<[RowName, Row][]> {
    const secrets = secretColumnsOf(this.#mapping, this.#side, table);
    const keys = columnsOf(this.#schemas, table, Object.keys(named[0]?.key ?? {}));
    const columns = columnsOf(this.#schemas, table, secrets);
    const read = columns.map((column) => readSql(column, 't'));
    const { rows } = await this.#client.query<SqlValue[]>({
      ...prepared(
        `SELECT d.nr, ${read.join(', ')} FROM (${dataSql(keys)}) d
           JOIN ${name(table)} t ON ${sameSql(keys, 't', 'd')}`,
        dataOf(
          keys,
          named.map(({ key }) => key),
        ),
      ),
      rowMode: 'array',
    });
    return rows.map(([nr, ...values]) => [
      named[Number(nr) - 1] as RowName,
      rowOf(columns, values),
    ]);
  }
}
