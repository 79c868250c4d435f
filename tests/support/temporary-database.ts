import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, openDatabase } from '../../chassis/index.ts';
import type { Database, Dialect, Migration } from '../../chassis/index.ts';
import type { PostgresDatabase } from '../../system/index.ts';
import { temporaryPostgresDatabase } from './postgres.ts';
import { inSoak } from './soak.ts';

/** What a suite that holds for every kind of database runs on. */
export const dialects: readonly Dialect[] = ['sqlite', 'postgres'];

/** The same for a suite that `npm test` runs on SQLite, and the soak, by its `.soak.test.ts`, on PostgreSQL. */
export const dialectsOfRun: readonly Dialect[] = inSoak(['postgres'], ['sqlite']);

/** A database with this schema, in a temporary folder or on a server for tests; closing it removes it. */
export async function temporaryDatabase(
  migrations: readonly Migration[] = [],
  dialect: Dialect = 'sqlite',
): Promise<Database> {
  const place = await (dialect === 'sqlite' ? temporaryFile() : temporaryPostgresDatabase());
  const database = await openDatabase(place.url);
  await migrate(database, migrations);
  return {
    ...database,
    close: async () => {
      await database.close();
      await place.drop();
    },
  };
}

async function temporaryFile(): Promise<PostgresDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'fig-'));
  return {
    url: `file:${join(folder, 'test.db')}`,
    drop: () => rm(folder, { recursive: true, force: true }),
  };
}
