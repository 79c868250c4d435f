import { linkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeLock, seenLock } from '../chassis/index.ts';
import { isAlive, startedAt } from './process-id.ts';

/** Another supervisor runs on this data folder; the message names its process id. */
export class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning';
}

export interface DataLock {
  release(): void;
}

/** A process that started so long after a lock was made, in ms, did not make it: starts are known to a second or two. */
const SAME_MOMENT_MS = 3_000;

/**
 * Takes the data folder for this process, by a file with its id. A lock whose process is gone is replaced, also
 * when another process has been given the id since.
 * @throws AlreadyRunning when another process holds it
 */
export async function lockData(dataDir: string): Promise<DataLock> {
  const file = join(dataDir, 'supervisor.pid');
  while (!make(file)) {
    const seen = await seenLock(file);
    if (seen === undefined) continue;
    const owner = await ownerOf(file);
    if (owner !== undefined) {
      throw new AlreadyRunning(
        `a system runs on ${dataDir} already (process ${owner}); ` +
          'stop it, or set FIG_DATA_DIR to another folder',
      );
    }
    await removeLock(file, seen);
  }
  return { release: () => rmSync(file, { force: true }) };
}

/** With its content at once: a link to a file is made where there is none of that name. */
function make(file: string): boolean {
  const fresh = `${file}.${process.pid}.new`;
  writeFileSync(fresh, `${process.pid}\n`);
  try {
    linkSync(fresh, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(fresh, { force: true });
  }
}

async function ownerOf(file: string): Promise<number | undefined> {
  try {
    const pid = Number(await readFile(file, 'utf8'));
    const madeBy = statSync(file).mtimeMs + SAME_MOMENT_MS;
    return isAlive(pid) && (startedAt(pid) ?? madeBy) <= madeBy ? pid : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
