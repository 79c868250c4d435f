import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CommandError, EXIT } from '../../chassis/cli/index.ts';
import type { Output, OutputOptions } from '../../chassis/cli/index.ts';
import {
  dialectOf,
  openDatabase,
  readSystemEnv,
  refuseNewerDatabase,
  shownUrl,
  sqliteFile,
} from '../../chassis/index.ts';
import type { Migration, SagaDesk } from '../../chassis/index.ts';
import { publishOrderEvent } from '../events.ts';
import { orderSagaDesks } from '../orders/index.ts';

/** What commands work on. */
export interface Shop {
  readonly desks: readonly SagaDesk[];
}

/** Gives a command its surroundings, once its options are understood. */
export type Run = (
  options: OutputOptions,
  work: (shop: Shop, output: Output) => Promise<void>,
) => Promise<void>;

/**
 * Opens the monolith's database for as long as `work` takes.
 * @throws CommandError where there is none, or one without the tables of this build
 * @throws ConfigurationError where a newer build has written it
 */
export async function withShop<T>(
  env: NodeJS.ProcessEnv,
  migrations: readonly Migration[],
  work: (shop: Shop) => Promise<T>,
): Promise<T> {
  const url = await urlOf(env);
  await refuseNewerDatabase(url, migrations);
  const database = await openDatabase(url);
  try {
    if (!(await database.read.schema.hasTable(NEWEST_TABLE))) {
      const message = `${shownUrl(url)} has not the tables of this build; start its monolith once`;
      throw new CommandError(EXIT.failed, 'schema_older', message, 'npm start');
    }
    return await work({ desks: orderSagaDesks(database, publishOrderEvent) });
  } finally {
    await database.close();
  }
}

const NEWEST_TABLE = 'ORD_SAGA_LOG';

/** The database that a running system has named, below what the environment says. */
async function urlOf(env: NodeJS.ProcessEnv): Promise<string> {
  const folder = resolve(env['FIG_DATA_DIR'] || '.fig');
  const found = await readSystemEnv(join(folder, 'system.json'));
  const url =
    env['MONOLITH_DATABASE_URL'] ||
    found.env['MONOLITH_DATABASE_URL'] ||
    `file:${join(folder, 'monolith.db')}`;
  // Opened, it would be made.
  if (dialectOf(url) === 'sqlite' && !existsSync(sqliteFile(url))) {
    const message =
      `there is no database ${shownUrl(url)}; set FIG_DATA_DIR to the folder that npm start uses, ` +
      'or MONOLITH_DATABASE_URL';
    throw new CommandError(EXIT.failed, 'no_database', message);
  }
  return url;
}
