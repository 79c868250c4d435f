import type { QueryResult, QueryResultRow } from 'pg';
import type { Dialect, Ledger, LedgerValue, Reads, Tx } from '../../ledger/index.ts';
import { fromAscii, toAscii } from '../../mapping/index.ts';
import { isLockTimeout } from './errors.ts';
import type { PostgresClient, PostgresConnection, TransactionOptions } from './connection.ts';
import { feedTable } from './tables.ts';
import { name, NOW_SQL } from './values.ts';

/** Fig's own tables in the words of PostgreSQL. */
export const postgres: Dialect = {
  now: NOW_SQL,
  greatest: 'greatest',
  forShare: 'FOR SHARE',
  forUpdate: 'FOR NO KEY UPDATE',
  inserted: 'nr',
  inBytes: 'COLLATE "C"',
  name,
  feedTable,
  hasTable: 'SELECT WHERE to_regclass(quote_ident($1)) IS NOT NULL',
  elements: (place) => `unnest(${place}::text[]) AS elements (value)`,
  // The database may have an encoding of its own, in which not every character has a place.
  stored: toAscii,
  unstored: fromAscii,
};

/**
 * How long a fence may wait for open write transactions, in ms. Whoever wants to write waits behind
 * it, so this must end before the coordinator's own patience does.
 */
const FENCE_LOCK_MS = 900;

type Query = <R extends QueryResultRow>(sql: string, values: unknown[]) => Promise<QueryResult<R>>;

class Statements implements Tx {
  readonly #query: Query;

  constructor(query: Query) {
    this.#query = query;
  }

  async all<R>(sql: string, values: readonly LedgerValue[] = []): Promise<readonly R[]> {
    return (await this.#query(sql, [...values])).rows as R[];
  }

  async get<R>(sql: string, values: readonly LedgerValue[] = []): Promise<R | undefined> {
    return (await this.all<R>(sql, values))[0];
  }

  async run(sql: string, values: readonly LedgerValue[] = []): Promise<number> {
    return (await this.#query(sql, [...values])).rowCount ?? 0;
  }
}

/** The statements of one transaction, on its client. */
export class PostgresTx extends Statements {
  readonly client: PostgresClient;

  constructor(client: PostgresClient) {
    super((sql, values) => client.query(sql, values));
    this.client = client;
  }
}

export class PostgresLedger implements Ledger<PostgresTx> {
  readonly dialect = postgres;
  readonly url: string;
  readonly reads: Reads;
  readonly #db: PostgresConnection;

  constructor(connection: PostgresConnection) {
    this.url = connection.url;
    this.#db = connection;
    this.reads = new Statements((sql, values) => connection.query(sql, values));
  }

  snapshot<T>(work: (tx: PostgresTx) => Promise<T>): Promise<T> {
    return this.#db.snapshot((client) => work(new PostgresTx(client)));
  }

  transaction<T>(
    work: (tx: PostgresTx) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    return this.#db.transaction((client) => work(new PostgresTx(client)), options);
  }

  async movingFences<T>(capability: string, work: (tx: PostgresTx) => Promise<T>): Promise<T> {
    try {
      return await this.transaction(work, { lockMs: FENCE_LOCK_MS });
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      throw new Error(
        `open transactions kept the fence of ${capability} from moving for ${FENCE_LOCK_MS} ms`,
        { cause: error },
      );
    }
  }
}
