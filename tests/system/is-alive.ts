import { readFileSync } from 'node:fs';

/**
 * Whether a process runs. One that has ended but was not buried yet does not: orphans are buried by
 * the machine's first process, which in a container may take its time.
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    // No such file system here, or gone since: the signal above has told.
    return process.platform !== 'linux';
  }
}
