import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * From now on what this process makes is its user's alone, and so is what its children make:
 * databases, their logs, flags and all logs hold what customers wrote.
 */
export function keepFilesPrivate(): void {
  process.umask(0o077);
}

/**
 * Makes a file that only its user can read, where there is none. Processes that start at the same time
 * agree on one content, because a link to a new name fails when the name exists.
 * @throws Error of the file system when it can't be made
 */
export function makePrivateFile(file: string, content: string): void {
  const fresh = `${file}.${randomBytes(8).toString('hex')}.new`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(fresh, content, { mode: 0o600, flag: 'wx' });
    linkSync(fresh, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(fresh, { force: true });
  }
}
