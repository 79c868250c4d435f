import { existsSync } from 'node:fs';
import type { Knex } from 'knex';
import { dialectOf, shownUrl, sqliteFile } from './database-url.ts';
import { ConfigurationError } from './env.ts';

/** The version of Fig's own tables: it grows with a change that an earlier build must not meet. */
export const LEDGER_VERSION = 1;

/** Where a database says which version of Fig's tables it has; without it, it is the first. */
export const LEDGER_TABLE = 'fig_version';

/** The names of migrations, as far as they matter here. */
type Named = readonly { readonly name: string }[];

/**
 * Refuses a database whose schema or whose tables of Fig are newer than this build. It only reads.
 * @param table where the names of finished migrations are kept
 * @throws ConfigurationError that names the database and what is not known of it
 */
export async function refuseNewer(
  connection: Knex,
  url: string,
  migrations: Named,
  table = 'schema_migrations',
): Promise<void> {
  const known = new Set(migrations.map(({ name }) => name));
  const finished = (await connection.schema.hasTable(table))
    ? ((await connection(table).pluck('name')) as string[])
    : [];
  const unknown = finished.filter((name) => !known.has(name)).sort();
  if (unknown.length > 0) throw newer(url, `migration ${unknown.join(', ')}`);
  if (!(await connection.schema.hasTable(LEDGER_TABLE))) return;
  const version = (await connection(LEDGER_TABLE).pluck('version')) as number[];
  refuseNewerLedger(url, version[0]);
}

/** @throws ConfigurationError when Fig's tables in this database are newer than this build */
export function refuseNewerLedger(url: string, version: number | undefined): void {
  if (version === undefined || version <= LEDGER_VERSION) return;
  throw newer(url, `version ${version} of Fig's tables (this one knows ${LEDGER_VERSION})`);
}

/**
 * Looks at a database before anything is started on it; what is not there, or not reached, is fine.
 * Not a byte of a SQLite file changes by it.
 * @throws ConfigurationError for one that a newer build has written
 */
export async function refuseNewerDatabase(url: string, migrations: Named): Promise<void> {
  const isFile = dialectOf(url) === 'sqlite';
  if (isFile && !existsSync(sqliteFile(url))) return;
  const { knex, close } = await (isFile ? openFile(sqliteFile(url)) : openServer(url));
  try {
    await refuseNewer(knex, url, migrations);
  } catch (error) {
    // Whoever needs the database says what else is wrong with it.
    if (error instanceof ConfigurationError) throw error;
  } finally {
    await close();
  }
}

interface Connection {
  readonly knex: Knex;
  close(): Promise<void>;
}

async function openFile(filename: string): Promise<Connection> {
  const { SqliteClient } = await import('./sqlite-client.ts');
  const connection = new SqliteClient(filename, 'look');
  return { knex: connection.knex, close: () => connection.close() };
}

async function openServer(url: string): Promise<Connection> {
  const { connectPostgres } = await import('./postgres-client.ts');
  const knex = connectPostgres(url);
  return { knex, close: () => knex.destroy() };
}

function newer(url: string, what: string): ConfigurationError {
  return new ConfigurationError(
    `a newer version of Fig has written ${shownUrl(url)}: it has ${what}, which this version does ` +
      'not know; run the version that wrote it, or a newer one. Nothing was changed.',
  );
}
