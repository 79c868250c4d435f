import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';

/** Another supervisor runs on this data folder; the message names its process id. */
export class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning';
}

export interface DataLock {
  release(): void;
}

/**
 * Takes the data folder for this process. The lock is SQLite's on an empty file, which the
 * operating system drops with the process, however that ends: there is no stale lock to break.
 * @throws AlreadyRunning when another process holds it
 */
export function lockData(dataDir: string): DataLock {
  const pidFile = join(dataDir, 'supervisor.pid');
  const lock = new Database(join(dataDir, 'supervisor.lock'), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if ((error as { code?: unknown }).code !== 'SQLITE_BUSY') throw error;
    throw new AlreadyRunning(
      `a system runs on ${dataDir} already (process ${readPid(pidFile) ?? 'unknown'}); ` +
        'stop it, or set FIG_DATA_DIR to another folder',
      { cause: error },
    );
  }
  writeFileSync(pidFile, `${process.pid}\n`);
  return {
    release: () => {
      rmSync(pidFile, { force: true });
      lock.close();
    },
  };
}

function readPid(pidFile: string): number | undefined {
  try {
    return Number(readFileSync(pidFile, 'utf8'));
  } catch {
    return undefined;
  }
}
