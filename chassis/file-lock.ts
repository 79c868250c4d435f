import { link, open, stat, unlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** Writing takes milliseconds: whoever holds a lock for that long has died. */
const STALE_MS = 3_000;
const ASK_AGAIN_MS = 5;
/** More than a stale lock takes, and many who write in turn. */
const PATIENCE_MS = 30_000;

/** Which file a lock was when a process looked at it: another one of the same name is another lock. */
export interface SeenLock {
  readonly ino: bigint;
  readonly mtimeNs: bigint;
}

/** The lock as it is now; undefined where there is none. */
export async function seenLock(lock: string): Promise<SeenLock | undefined> {
  try {
    const { ino, mtimeNs } = await stat(lock, { bigint: true });
    return { ino, mtimeNs };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Removes a lock if it is still the one that was seen. Between a look at a name and its removal another
 * process may make a new lock of that name, so whoever removes first makes a second name for the file:
 * one process alone gets it, and looks at what it has got.
 * @returns whether it was removed
 */
export async function removeLock(lock: string, seen: SeenLock): Promise<boolean> {
  const claim = `${lock}.${seen.ino}-${seen.mtimeNs}`;
  if (!(await claimed(lock, claim))) return false;
  try {
    const got = await seenLock(claim);
    if (got?.ino !== seen.ino || got.mtimeNs !== seen.mtimeNs) return false;
    await unlink(lock);
    return true;
  } finally {
    await unlink(claim);
  }
}

/** Whether this process has made the second name. */
async function claimed(lock: string, claim: string): Promise<boolean> {
  try {
    await link(lock, claim);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Somebody else removes the very same lock, or has done so.
    if (code === 'EEXIST' || code === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Runs `work` while no other process holds the same lock.
 * @param patienceMs how long to wait for others
 * @throws Error that names the lock when it was not to be had for so long
 */
export async function withFileLock<T>(
  lock: string,
  work: () => Promise<T>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const mine = await take(lock, patienceMs);
  try {
    return await work();
  } finally {
    await removeLock(lock, mine);
  }
}

async function take(lock: string, patienceMs: number): Promise<SeenLock> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const made = await make(lock);
    if (made) return made;
    const seen = await seenLock(lock);
    if (seen && isStale(seen)) await removeLock(lock, seen);
    if (performance.now() > until) {
      throw new Error(
        `${lock} has been there for ${patienceMs} ms; if no fig or engine is writing flags, delete it and ` +
          `${lock}.*`,
      );
    }
    await delay(ASK_AGAIN_MS);
  }
}

/** @returns undefined where another process has it */
async function make(lock: string): Promise<SeenLock | undefined> {
  try {
    const handle = await open(lock, 'wx');
    try {
      const { ino, mtimeNs } = await handle.stat({ bigint: true });
      return { ino, mtimeNs };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
}

function isStale({ mtimeNs }: SeenLock): boolean {
  return Date.now() - Number(mtimeNs / 1_000_000n) > STALE_MS;
}
