import type { Statement } from 'better-sqlite3';
import type {
  Dialect,
  Ledger,
  LedgerTransactionOptions,
  LedgerValue,
  Reads,
  Tx,
} from '../../ledger/index.ts';
import type { SqliteConnection } from './connection.ts';
import type { Prepare } from './schema.ts';
import { feedTable, NOW_SQL } from './tables.ts';
import { name } from './values.ts';

const same = (text: string): string => text;

/** Fig's own tables in the words of SQLite, whose transactions have the database to themselves. */
export const sqlite: Dialect = {
  now: NOW_SQL,
  greatest: 'max',
  forShare: '',
  forUpdate: '',
  inserted: 'rowid',
  inBytes: '',
  name,
  feedTable,
  hasTable: `SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1`,
  elements: (place) => `json_each(${place})`,
  stored: same,
  unstored: same,
};

/**
 * Statements of one of a connection's two sides. Each is done when it is called: what awaits it goes on in
 * the same turn of the event loop, so a transaction keeps the write lock for as long as its statements take.
 */
export class SqliteTx implements Tx {
  /** For what asks more of a statement, within the same transaction. */
  readonly prepare: Prepare;

  constructor(prepare: Prepare) {
    this.prepare = prepare;
  }

  async all<R>(sql: string, values: readonly LedgerValue[] = []): Promise<readonly R[]> {
    return this.prepare(sql).all(bound(values)) as R[];
  }

  async get<R>(sql: string, values: readonly LedgerValue[] = []): Promise<R | undefined> {
    return this.prepare(sql).get(bound(values)) as R | undefined;
  }

  async run(sql: string, values: readonly LedgerValue[] = []): Promise<number> {
    return this.prepare(sql).run(bound(values)).changes;
  }
}

export class SqliteLedger implements Ledger<SqliteTx> {
  readonly dialect = sqlite;
  readonly url: string;
  readonly reads: Reads;
  readonly #db: SqliteConnection;
  readonly #reading: SqliteTx;
  /** For use inside `transaction`. */
  readonly writing: SqliteTx;

  constructor(connection: SqliteConnection) {
    this.url = `file:${connection.file}`;
    this.#db = connection;
    this.#reading = new SqliteTx((sql) => connection.read(sql));
    this.writing = new SqliteTx((sql) => connection.write(sql));
    this.reads = {
      all: (sql, values) => this.snapshot((tx) => tx.all(sql, values)),
      get: (sql, values) => this.snapshot((tx) => tx.get(sql, values)),
    };
  }

  snapshot<T>(work: (tx: SqliteTx) => Promise<T>): Promise<T> {
    return this.#db.snapshot(() => work(this.#reading));
  }

  transaction<T>(
    work: (tx: SqliteTx) => Promise<T>,
    options: LedgerTransactionOptions = {},
  ): Promise<T> {
    return this.#db.transaction(() => work(this.writing), options);
  }

  /** Its writers wait for each other, and for nothing else. */
  movingFences<T>(_capability: string, work: (tx: SqliteTx) => Promise<T>): Promise<T> {
    return this.transaction(work);
  }
}

/** Values by the names of their places; the driver takes no booleans, and every number for a real one. */
export function bound(values: readonly LedgerValue[]): Parameters<Statement['run']>[0] {
  return Object.fromEntries(values.map((value, index) => [index + 1, boundValue(value)]));
}

function boundValue(value: LedgerValue): string | number | bigint | null {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}
