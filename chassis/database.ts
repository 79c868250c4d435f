import type { Knex } from 'knex';
import { dialectOf, sqliteFile } from './database-url.ts';
import type { Dialect } from './database-url.ts';
import { refuseNewer } from './newer-data.ts';

export type { Knex } from 'knex';
/** For queries inside of a transaction. */
export type Transaction = Knex;

/** One database of one process: connections for reads and for write transactions. */
export interface Database {
  readonly url: string;
  /** For reads outside transactions: sees what is committed, never waits for a writer. */
  readonly read: Knex;
  /**
   * Runs `work` in a transaction. It commits when `work` resolves and rolls back when it throws. A commit is on the
   * disk before anybody sees it or is told of it. Await nothing but queries inside, and change nothing else: `work`
   * may be run again.
   *
   * On SQLite it holds the write lock from its first statement. On PostgreSQL others write meanwhile: lock the rows that
   * a decision rests on (`forUpdate`, in one order everywhere), or let one conditional statement or a unique key decide.
   */
  transaction<T>(work: (trx: Transaction) => Promise<T>): Promise<T>;
  /** The same, while no other such transaction runs in this database: for changes of its schema. */
  alone<T>(work: (trx: Transaction) => Promise<T>): Promise<T>;
  /** Its connections right now; `waiting`: how many transactions and reads wait for one. */
  connections(): { readonly used: number; readonly free: number; readonly waiting: number };
  close(): Promise<void>;
}

/**
 * Whether a database answers; a readiness check.
 * @param table one that must be there
 * @throws what the database or its disk says
 */
export async function isDatabaseReady(database: Database, table: string): Promise<true> {
  await database.read(table).first(database.read.raw('1'));
  return true;
}

/** Which kind of database a connection leads to. */
export function dialectOfConnection(connection: Knex): Dialect {
  const { dialect } = connection.client as { dialect: string };
  return dialect === 'postgresql' ? 'postgres' : 'sqlite';
}

const NOW = {
  sqlite: `CAST(unixepoch('subsec') * 1000 AS INTEGER)`,
  postgres: 'CAST(extract(epoch FROM statement_timestamp()) * 1000 AS BIGINT)',
} as const;

/** The time by the database's clock, in ms since 1970: the one clock that all processes that use it share. */
export function databaseNow(connection: Knex): Knex.Raw {
  return connection.raw(NOW[dialectOfConnection(connection)]);
}

/**
 * Opens a database; a SQLite file is made when missing, a PostgreSQL database must be there.
 * @param url `file:` and a path, or `postgres:`
 * @throws ConfigurationError for any other
 */
export async function openDatabase(url: string): Promise<Database> {
  return dialectOf(url) === 'sqlite' ? openSqlite(url) : openPostgres(url);
}

// What each of them loads, such as knex, takes longer than all that most commands do.

async function openPostgres(url: string): Promise<Database> {
  const { connectPostgres, transact, transactAlone } = await import('./postgres-client.ts');
  const write = connectPostgres(url);
  const read = connectPostgres(url);
  return {
    url,
    read,
    transaction: (work) => transact(write, work),
    alone: (work) => transactAlone(write, work),
    connections: () => poolOf([read, write]),
    close: async () => {
      await Promise.all([read.destroy(), write.destroy()]);
    },
  };
}

interface Pool {
  numUsed(): number;
  numFree(): number;
  numPendingAcquires(): number;
}

function poolOf(connections: readonly Knex[]) {
  const pools = connections.map(({ client }) => (client as { pool: Pool }).pool);
  const sum = (of: (pool: Pool) => number) => pools.reduce((total, pool) => total + of(pool), 0);
  return {
    used: sum((pool) => pool.numUsed()),
    free: sum((pool) => pool.numFree()),
    waiting: sum((pool) => pool.numPendingAcquires()),
  };
}

async function openSqlite(url: string): Promise<Database> {
  const filename = sqliteFile(url);
  const { SqliteClient } = await import('./sqlite-client.ts');
  const write = new SqliteClient(filename, 'write');
  const read = new SqliteClient(filename, 'read');
  return {
    url,
    read: read.knex,
    transaction: (work) => write.transaction(work),
    alone: (work) => write.transaction(work),
    // One to write, which transactions take in turn, and one to read, whose calls do not wait.
    connections: () => ({ used: write.busy, free: 1 - write.busy, waiting: write.waiting }),
    close: async () => {
      await Promise.all([read.close(), write.close()]);
    },
  };
}

/** A schema change, named for good: the name is recorded when it has run. */
export interface Migration {
  readonly name: string;
  up(knex: Knex): Promise<void>;
  down(knex: Knex): Promise<void>;
}

/**
 * Brings a database to the newest schema. Safe to run again, and by several processes at once.
 * @param table where the names of finished migrations are kept
 * @throws ConfigurationError for a database that a newer build has written
 */
export async function migrate(
  database: Database,
  migrations: readonly Migration[],
  table = 'schema_migrations',
): Promise<void> {
  // One transaction around all of it: a killed process leaves nothing half done, and processes
  // that start together wait for each other.
  await database.alone(async (trx) => {
    await refuseNewer(trx, database.url, migrations, table);
    if (!(await trx.schema.hasTable(table))) {
      await trx.schema.createTable(table, (t) => {
        t.string('name').primary();
        t.string('finished_at').notNullable();
      });
    }
    const finished = new Set((await trx(table).pluck('name')) as string[]);
    for (const migration of migrations) {
      if (finished.has(migration.name)) continue;
      await migration.up(trx);
      await trx(table).insert({ name: migration.name, finished_at: new Date().toISOString() });
    }
  });
}

/** Takes back the newest `steps` migrations that have run. */
export async function rollback(
  database: Database,
  migrations: readonly Migration[],
  steps = 1,
  table = 'schema_migrations',
): Promise<void> {
  await database.alone(async (trx) => {
    const finished = new Set((await trx(table).pluck('name')) as string[]);
    const newestFirst = migrations.filter(({ name }) => finished.has(name)).toReversed();
    for (const migration of newestFirst.slice(0, steps)) {
      await migration.down(trx);
      await trx(table).where({ name: migration.name }).delete();
    }
  });
}
