import knex from 'knex';
import type { Knex } from 'knex';
import { dialectOf, sqliteFile } from './database-url.ts';
import type { Dialect } from './database-url.ts';
import { GroupCommit } from './group-commit.ts';
import { connectPostgres, oneWriter } from './postgres-client.ts';
import { FigSqliteClient } from './sqlite-client.ts';

export type { Knex } from 'knex';
export type Transaction = Knex.Transaction;

/** One database of one process: connections for reads and for write transactions. */
export interface Database {
  readonly url: string;
  /** For reads outside transactions: sees what is committed, never waits for a writer. */
  readonly read: Knex;
  /**
   * Runs `work` in a transaction that holds the write lock from its first statement. It commits
   * when `work` resolves and rolls back when it throws; on SQLite, transactions that wait may share
   * a commit. Await nothing but queries inside.
   */
  transaction<T>(work: (trx: Transaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

function connectSqlite(filename: string): Knex {
  return knex({
    client: FigSqliteClient as unknown as typeof Knex.Client,
    connection: { filename },
    useNullAsDefault: true,
    pool: { min: 1, max: 1 },
  });
}

/** Which kind of database a connection leads to. */
export function dialectOfConnection(connection: Knex): Dialect {
  const { dialect } = connection.client as { dialect: string };
  return dialect === 'postgresql' ? 'postgres' : 'sqlite';
}

/**
 * Opens a database; a SQLite file is made when missing, a PostgreSQL database must be there.
 * @param url `file:` and a path, or `postgres:`
 * @throws ConfigurationError for any other
 */
export function openDatabase(url: string): Database {
  return dialectOf(url) === 'sqlite' ? openSqlite(url) : openPostgres(url);
}

function openPostgres(url: string): Database {
  const write = connectPostgres(url);
  const read = connectPostgres(url);
  return {
    url,
    read,
    transaction: (work) => oneWriter(write, work),
    close: async () => {
      await Promise.all([read.destroy(), write.destroy()]);
    },
  };
}

function openSqlite(url: string): Database {
  const filename = sqliteFile(url);
  const write = connectSqlite(filename);
  const read = connectSqlite(filename);
  const commits = new GroupCommit(write);
  return {
    url,
    read,
    transaction: (work) => commits.run(work),
    close: async () => {
      await Promise.all([read.destroy(), write.destroy()]);
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
 */
export async function migrate(
  database: Database,
  migrations: readonly Migration[],
  table = 'schema_migrations',
): Promise<void> {
  // One transaction around all of it: a killed process leaves nothing half done, and processes
  // that start together wait for each other at its write lock.
  await database.transaction(async (trx) => {
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
  await database.transaction(async (trx) => {
    const finished = new Set((await trx(table).pluck('name')) as string[]);
    const newestFirst = migrations.filter(({ name }) => finished.has(name)).toReversed();
    for (const migration of newestFirst.slice(0, steps)) {
      await migration.down(trx);
      await trx(table).where({ name: migration.name }).delete();
    }
  });
}
