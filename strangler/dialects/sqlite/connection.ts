import type Database from 'better-sqlite3';
import type { Statement } from 'better-sqlite3';
import { isUtf8 } from 'node:buffer';
import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { LimitFunction } from 'p-limit';
import { isBusy, nap, openSqliteFile, sqliteFile } from '../../../chassis/index.ts';
import { WalSync } from './wal-sync.ts';

const BUSY_DEADLINE_MS = 10_000;

/** For how long others are taken to be there after one of them wrote. */
const CROWDED_MS = 10_000;

/**
 * Pages in the log after which a commit here moves them into the database. SQLite leaves that to the
 * next commit beyond 1,000 pages, whoever's it is, and the business would pay for what is applied.
 */
const CHECKPOINT_PAGES = 900;

/** Commits of this process by file, to tell others' commits from its own. */
const ownCommits = new Map<string, number>();

/**
 * The writers of this process by file, one at a time. Each capability of a file has a connection, and one
 * that found the lock taken by another would wait for a timer, and take the file to have other writers.
 */
const ownWriters = new Map<string, LimitFunction>();

/** Another database that a connection reads as well. */
interface Attached {
  readonly name: string;
  readonly file: string;
}

interface TransactionOptions {
  /** Whether the commit must survive a power cut; what the feed can replay need not. */
  readonly durable?: boolean;
  /** How long to wait for the write lock, in ms. */
  readonly lockMs?: number;
}

/** Somebody else's transaction has kept a database's write lock; nothing was changed. */
export class DatabaseLockedError extends Error {
  override readonly name = 'DatabaseLockedError';

  constructor(file: string, lockMs: number, cause: unknown) {
    super(
      `another process has kept ${file} locked for ${lockMs / 1000} s; nothing was changed: ` +
        'end its transaction, and try again',
      { cause },
    );
  }
}

/**
 * The engine's own connections to one SQLite file: one for short write transactions, one for
 * snapshots. Statements run synchronously, but a transaction may span promises that are settled
 * already, so on each connection everybody waits for their turn.
 */
export class SqliteConnection {
  readonly file: string;
  readonly #writer: Database.Database;
  readonly #reader: Database.Database;
  readonly #written = new Map<string, Statement>();
  readonly #read = new Map<string, Statement>();
  readonly #begin: readonly string[];
  readonly #writing: LimitFunction;
  readonly #reading = pLimit(1);
  readonly #log: WalSync;
  readonly #attachedLog: WalSync | undefined;
  #durable = true;
  #urgent = 0;
  #version = -1;
  #counted = 0;
  #crowdedUntil = 0;

  /**
   * @param url `file:` and a path to a database that exists
   * @param attached is only ever read
   */
  constructor(url: string, attached?: Attached) {
    this.file = sqliteFile(url);
    this.#writing = ownWriters.get(this.file) ?? pLimit(1);
    ownWriters.set(this.file, this.#writing);
    this.#log = new WalSync(this.file);
    this.#attachedLog = attached && new WalSync(attached.file);
    this.#writer = open(this.file);
    this.#reader = open(this.file);
    this.#reader.pragma('query_only = ON');
    // Readers wait for nobody but the first opener after a crash, who brings the log in order.
    this.#reader.pragma('busy_timeout = 1000');
    // The owner has judged its rows already; its copy takes them table by table, and may hold a
    // state in between that a CHECK or a reference across columns or tables would refuse.
    this.#writer.pragma('foreign_keys = OFF');
    this.#writer.pragma('ignore_check_constraints = ON');
    // As for most who write here: a trigger of the business's own may write to its own table.
    this.#writer.pragma('recursive_triggers = OFF');
    for (const connection of attached ? [this.#writer, this.#reader] : []) {
      connection.prepare(`ATTACH ? AS ${attached?.name}`).run(attached?.file);
    }
    // BEGIN IMMEDIATE would lock the attached database too; a first statement that writes does not.
    this.#begin = attached
      ? ['BEGIN', 'UPDATE main.fig_clock SET applying = 0 WHERE id = 1']
      : ['BEGIN IMMEDIATE'];
  }

  /** Whether another process has written to this file a moment ago, or stood in the way. */
  get crowded(): boolean {
    return performance.now() < this.#crowdedUntil;
  }

  /** A statement of the write connection, prepared once; for use inside `transaction`. */
  write(sql: string): Statement {
    return prepared(this.#writer, this.#written, sql);
  }

  /** A statement of the snapshot connection, prepared once. */
  read(sql: string): Statement {
    return prepared(this.#reader, this.#read, sql);
  }

  /** Runs SQL without parameters on the write connection; for use inside `transaction`. */
  execute(sql: string): void {
    this.#writer.exec(sql);
  }

  /**
   * Runs `work` in a transaction that holds the write lock from the start. Waiting for the lock is
   * a timer: SQLite's own busy handler would put the whole process to sleep.
   * @throws DatabaseLockedError when others keep the lock for longer than `lockMs`
   */
  transaction<T>(
    work: () => T | Promise<T>,
    { durable = true, lockMs = BUSY_DEADLINE_MS }: TransactionOptions = {},
  ): Promise<T> {
    return this.#writing(async () => {
      await this.#beginWriting(durable, lockMs);
      try {
        const given = work();
        // What was done at once is also committed at once, before anybody else runs.
        const result = given instanceof Promise ? await given : given;
        // Here must not be what a power cut may still take back there.
        if (this.#attachedLog !== undefined) await this.#attachedLog.sync();
        this.write('COMMIT').run();
        ownCommits.set(this.file, (ownCommits.get(this.file) ?? 0) + 1);
        return result;
      } catch (error) {
        if (this.#writer.inTransaction) this.#writer.exec('ROLLBACK');
        throw error;
      }
    });
  }

  /** Meanwhile, whoever waits for the write lock looks for it several times a millisecond. */
  async urgently<T>(work: () => Promise<T>): Promise<T> {
    this.#urgent += 1;
    try {
      return await work();
    } finally {
      this.#urgent -= 1;
    }
  }

  /** Runs `work`, whose reads all see one and the same moment. */
  snapshot<T>(work: () => T | Promise<T>): Promise<T> {
    return this.#reading(async () => {
      this.read('BEGIN').run();
      try {
        return await work();
      } finally {
        this.read('COMMIT').run();
      }
    });
  }

  /**
   * Waits until all that snapshots have seen so far is on the disk. What is carried to another database
   * must not be lost here afterwards, or its position would be given out again.
   */
  settled(): Promise<void> {
    return this.#log.sync();
  }

  close(): void {
    void this.#log.close();
    void this.#attachedLog?.close();
    this.#reader.close();
    this.#writer.close();
  }

  async #beginWriting(durable: boolean, lockMs: number): Promise<void> {
    const deadline = performance.now() + lockMs;
    for (;;) {
      try {
        this.#setDurable(durable);
        for (const statement of this.#begin) this.write(statement).run();
        this.#lookAround();
        return;
      } catch (error) {
        if (this.#writer.inTransaction) this.#writer.exec('ROLLBACK');
        if (!isBusy(error)) throw error;
        if (performance.now() > deadline) throw new DatabaseLockedError(this.file, lockMs, error);
        this.#crowdedUntil = performance.now() + CROWDED_MS;
      }
      await this.#waitForLock();
    }
  }

  /** A timer waits for a millisecond at least, in which the lock is free several times over. */
  #waitForLock(): Promise<void> {
    return this.#urgent > 0 ? nap() : delay(1 + Math.random());
  }

  /**
   * A commit of another connection changes the version; when none of this process's has committed
   * since the last look, it was another process.
   */
  #lookAround(): void {
    const version = this.write('PRAGMA main.data_version').pluck().get() as number;
    const commits = ownCommits.get(this.file) ?? 0;
    if (this.#version !== -1 && version !== this.#version && commits === this.#counted) {
      this.#crowdedUntil = performance.now() + CROWDED_MS;
    }
    this.#version = version;
    // The transaction that begins here is about to count itself.
    this.#counted = commits + 1;
  }

  #setDurable(durable: boolean): void {
    if (durable === this.#durable) return;
    this.#writer.pragma(`synchronous = ${durable ? 'FULL' : 'NORMAL'}`);
    this.#durable = durable;
  }
}

/** What our own statements, and no trigger, may ask besides what SQLite knows. */
export function addFunctions(connection: Database.Database): void {
  connection.function('fig_is_utf8', { deterministic: true }, (bytes) =>
    Number(isUtf8(bytes as Uint8Array)),
  );
}

function open(file: string): Database.Database {
  const connection = openSqliteFile(file, { timeout: 5000, fileMustExist: true });
  addFunctions(connection);
  // Only changing the journal mode may wait like this: it needs a lock no timer of ours can ask for.
  if (connection.pragma('journal_mode', { simple: true }) !== 'wal') {
    connection.pragma('journal_mode = WAL');
  }
  connection.pragma('busy_timeout = 0');
  connection.pragma('synchronous = FULL');
  connection.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  return connection;
}

function prepared(
  connection: Database.Database,
  known: Map<string, Statement>,
  sql: string,
): Statement {
  const statement = known.get(sql) ?? connection.prepare(sql);
  known.set(sql, statement);
  return statement;
}
