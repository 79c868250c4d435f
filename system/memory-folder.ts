import { readFileSync, statfsSync } from 'node:fs';

const FOLDER = '/dev/shm';
const ENOUGH_BYTES = 2 ** 31;

/**
 * A folder that is kept in memory, for what need not outlive the machine: a database is a few hundred
 * files, and making and removing them on a disk takes a third of the tests' time on PostgreSQL.
 * @returns undefined where there is none, it is nearly full, or programs can't be run from it
 */
export function memoryFolder(): string | undefined {
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
