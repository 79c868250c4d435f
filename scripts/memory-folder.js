/** Where tests keep what need not outlive the machine. */
import { readFileSync, statfsSync } from 'node:fs';

const FOLDER = '/dev/shm';
const ENOUGH_BYTES = 2 ** 32;

/**
 * A folder that is kept in memory. A database of PostgreSQL is some 300 files, and making and removing
 * them on a disk takes a third of the processor's time of tests on it.
 *
 * @returns {string | undefined} undefined where there is none, it has no room, or programs can't be run from it
 */
export function memoryFolder() {
  try {
    const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
    const options = mounts.map((line) => line.split(' ')).find(([, at]) => at === FOLDER)?.[3];
    if (options === undefined || options.split(',').includes('noexec')) return undefined;
    const { bavail, bsize } = statfsSync(FOLDER);
    return bavail * bsize >= ENOUGH_BYTES ? FOLDER : undefined;
  } catch {
    // Only Linux has it.
    return undefined;
  }
}
