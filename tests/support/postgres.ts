import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { createPostgresDatabase, startPostgres } from '../../system/index.ts';
import type { PostgresDatabase, PrivatePostgres } from '../../system/index.ts';

/** Gives `use` a PostgreSQL server of its own, to be killed at will, and stops it afterwards. */
export async function withPostgres<T>(use: (postgres: PrivatePostgres) => Promise<T>): Promise<T> {
  const postgres = await startPostgres();
  try {
    return await use(postgres);
  } finally {
    await postgres.stop();
  }
}

/** An empty database on a server that others use, too; the caller drops it. */
export async function temporaryPostgresDatabase(): Promise<PostgresDatabase> {
  shared ??= sharedServer();
  return createPostgresDatabase(await shared);
}

let shared: Promise<string> | undefined;

const SHARED_SERVER = 'fig.tests.postgres';

/**
 * The server that is meant for tests, or one that all tests of this process share: modules are loaded
 * anew for each file of tests, but what Node keeps for the process stays. It ends with the process.
 */
async function sharedServer(): Promise<string> {
  const given = process.env['FIG_TEST_POSTGRES_URL'];
  if (given) return given;
  const running = getEnvironmentData(SHARED_SERVER);
  if (typeof running === 'string') return running;
  const { url } = await startPostgres();
  setEnvironmentData(SHARED_SERVER, url);
  return url;
}
