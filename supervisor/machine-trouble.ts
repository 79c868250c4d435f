import { statfsSync } from 'node:fs';
import { CommandFailed } from './command.ts';
import { StartFailed } from './launcher.ts';

/** With less than this free, SQLite's own errors are of any kind: it can't make its shared memory. */
const FULL_BYTES = 1024 * 1024;
const FULL = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL']);
const LOCKED_OUT = new Set(['EROFS', 'EACCES', 'EPERM', 'SQLITE_READONLY', 'SQLITE_CANTOPEN']);

/**
 * An error of a start, as one that says what to do where the data folder's disk is full or may not
 * be written to; else the error as it is.
 */
export function withRemedy(error: unknown, dataDir: string): unknown {
  if (!(error instanceof Error)) return error;
  const { code = '', message }: NodeJS.ErrnoException = error;
  const reason = message.split('\n', 1)[0];
  const mayBeFull =
    error instanceof StartFailed || error instanceof CommandFailed || code.startsWith('SQLITE_');
  if (FULL.has(code) || (mayBeFull && freeBytes(dataDir) < FULL_BYTES)) {
    return new StartFailed(
      `the disk that holds ${dataDir} is full; free some space, or set FIG_DATA_DIR to a folder ` +
        `on another one (${reason})`,
      { cause: error },
    );
  }
  if (LOCKED_OUT.has(code)) {
    return new StartFailed(
      `${dataDir} can't be written to; make it this user's, or set FIG_DATA_DIR to a folder that ` +
        `is (${reason})`,
      { cause: error },
    );
  }
  return error;
}

/** What is left for this user on a folder's disk; no limit where that can't be found out. */
function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
