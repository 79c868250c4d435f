import { createRequire } from 'node:module';
import type Database from 'better-sqlite3';
import { ConfigurationError } from './env.ts';

let driver: typeof Database | undefined;

/**
 * Opens a SQLite file. The driver is loaded at the first one: it is native code, which a system on PostgreSQL does
 * without.
 * @throws ConfigurationError that says how to install the driver; what the driver throws
 */
export function openSqliteFile(file: string, options: Database.Options = {}): Database.Database {
  driver ??= load();
  return new driver(file, options);
}

function load(): typeof Database {
  try {
    return createRequire(import.meta.url)('better-sqlite3') as typeof Database;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    throw new ConfigurationError(
      'a database of SQLite needs the package better-sqlite3, which is not installed: npm install better-sqlite3@12',
      { cause: error },
    );
  }
}
