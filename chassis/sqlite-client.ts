import { setImmediate as immediate } from 'node:timers/promises';
import type RawDatabase from 'better-sqlite3';
import type { Statement } from 'better-sqlite3';
import knex from 'knex';
import type { Knex } from 'knex';
import pLimit from 'p-limit';
import { openSqliteFile } from './sqlite-driver.ts';
import { onceUnlocked } from './sqlite-lock.ts';

/** What a connection is for: `write` makes the file when it is missing, `look` changes not a byte of it. */
type Purpose = 'write' | 'read' | 'look';

const STATEMENTS_KEPT = 500;

/** knex over one connection to a SQLite file, opened at its first use. Its statements run one after the other. */
export class SqliteClient {
  /** Builds queries and runs them on this connection. */
  readonly knex: Knex;
  readonly #filename: string;
  readonly #purpose: Purpose;
  readonly #statements = new Map<string, Statement>();
  readonly #inTurn = pLimit(1);
  #connection: RawDatabase.Database | undefined;
  #closed = false;

  constructor(filename: string, purpose: Purpose) {
    this.#filename = filename;
    this.#purpose = purpose;
    this.knex = knex({
      client: 'better-sqlite3',
      useNullAsDefault: true,
      connectionPool: this.#asPool(),
    });
  }

  /**
   * Runs `work` in a transaction; several run in the order in which they were asked for.
   *
   * knex begins a transaction without SQLite's write lock. One that reads first and writes later is then
   * refused with SQLITE_BUSY_SNAPSHOT when another connection has committed in between, instead of seeing a fence that
   * has closed. So each begins with the lock here.
   * @throws what `work` throws, or what SQLite says; nothing has happened then
   */
  transaction<T>(work: (trx: Knex) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      // SQLite's calls block: sockets and timers of this process get their turn between two transactions.
      if (this.#inTurn.pendingCount > 0) await immediate();
      const connection = this.#open();
      await onceUnlocked(() => connection.exec('BEGIN IMMEDIATE'));
      try {
        const value = await work(this.knex);
        connection.exec('COMMIT');
        return value;
      } catch (error) {
        // SQLite may have rolled back by itself, as on a full disk.
        if (connection.inTransaction) connection.exec('ROLLBACK');
        throw error;
      }
    });
  }

  /** How many transactions run: one or none. */
  get busy(): number {
    return this.#inTurn.activeCount;
  }

  /** How many transactions wait for their turn. */
  get waiting(): number {
    return this.#inTurn.pendingCount;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#connection?.close();
  }

  /** For knex: a pool of this one connection, which nothing has to wait for. */
  #asPool() {
    const connection = { prepare: (sql: string) => this.#prepare(sql) };
    const none = (): number => 0;
    return {
      acquire: () => ({ promise: Promise.resolve(connection) }),
      release: () => true,
      destroy: () => this.close(),
      // By these, knex knows a pool from a driver.
      numFree: none,
      numUsed: none,
      numPendingAcquires: none,
    };
  }

  #prepare(sql: string): Statement {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#open().prepare(sql);
    if (this.#statements.size >= STATEMENTS_KEPT) this.#statements.clear();
    this.#statements.set(sql, statement);
    return statement;
  }

  #open(): RawDatabase.Database {
    if (this.#closed) throw new Error(`${this.#filename} is closed`);
    return (this.#connection ??= open(this.#filename, this.#purpose));
  }
}

function open(filename: string, purpose: Purpose): RawDatabase.Database {
  const connection = openSqliteFile(filename, { readonly: purpose === 'look' });
  connection.pragma('foreign_keys = ON');
  // REPLACE fires delete triggers only with this, and the change feed needs them.
  connection.pragma('recursive_triggers = ON');
  // Changing the journal mode takes an exclusive lock that SQLite waits for by itself, as long as the driver
  // has it: 5 s.
  if (purpose !== 'look') connection.pragma('journal_mode = WAL');
  // A commit is on the disk before it returns, and before others see it.
  connection.pragma('synchronous = FULL');
  if (purpose === 'read') connection.pragma('query_only = ON');
  // SQLite's own wait for the write lock would stop this process: `onceUnlocked` waits instead.
  connection.pragma('busy_timeout = 0');
  return connection;
}
