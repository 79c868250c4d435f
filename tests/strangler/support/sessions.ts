import Database from 'better-sqlite3';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Dialect } from '../../../chassis/index.ts';
import { temporaryPostgresDatabase } from '../../support/index.ts';

/** A hand-typed session on a database. */
export interface Session {
  /** Any number of statements. */
  run(sql: string): Promise<void>;
  /** One statement, with parameters as the dialect writes them. */
  rows<T = Record<string, unknown>>(sql: string, ...values: readonly unknown[]): Promise<T[]>;
}

export interface OpenDatabase extends Session {
  readonly url: string;
  drop(): Promise<void>;
}

export interface DatabaseOptions {
  /** Of a database on PostgreSQL. */
  readonly encoding?: string;
  /** A server of its own; else the one that tests share. */
  readonly server?: { createDatabase(): ReturnType<typeof temporaryPostgresDatabase> };
}

/** A fresh database. @param schema what makes its tables */
export function openDatabase(
  dialect: Dialect,
  schema: string,
  options: DatabaseOptions = {},
): Promise<OpenDatabase> {
  return dialect === 'sqlite' ? openFile(schema) : openOnServer(schema, options);
}

async function openFile(schema: string): Promise<OpenDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'fig-side-'));
  const database = new Database(join(folder, 'side.db'), { timeout: 5_000 });
  database.pragma('journal_mode = WAL');
  // Like the sqlite3 command: REPLACE fires no delete triggers.
  database.pragma('recursive_triggers = OFF');
  database.exec(schema);
  return {
    url: `file:${database.name}`,
    run: async (sql) => void database.exec(sql),
    rows: async <T>(sql: string, ...values: readonly unknown[]) => {
      const statement = database.prepare(sql);
      if (statement.reader) return statement.all(...values) as T[];
      statement.run(...values);
      return [];
    },
    drop: async () => {
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
}

async function openOnServer(
  schema: string,
  { encoding, server }: DatabaseOptions,
): Promise<OpenDatabase> {
  const database = await (server?.createDatabase() ?? temporaryPostgresDatabase());
  if (encoding !== undefined) await encodeAs(database.url, encoding);
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(schema);
  return {
    url: database.url,
    run: async (sql) => void (await client.query(sql)),
    rows: async <T>(sql: string, ...values: readonly unknown[]) =>
      (await client.query(sql, [...values])).rows as T[],
    drop: async () => {
      await client.end();
      await database.drop();
    },
  };
}

/** Makes a fresh database anew. */
async function encodeAs(url: string, encoding: string): Promise<void> {
  const { pathname } = new URL(url);
  const database = decodeURIComponent(pathname.slice(1));
  const server = new URL(url);
  server.pathname = '/postgres';
  const client = new Client({ connectionString: server.href });
  await client.connect();
  await client.query(`DROP DATABASE "${database}"`);
  await client.query(
    `CREATE DATABASE "${database}" TEMPLATE template0 LOCALE 'C' ENCODING '${encoding}'`,
  );
  await client.end();
}
