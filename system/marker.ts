import { readFileSync } from 'node:fs';
import { findCommand, run } from './command.ts';

/** A word on the command line of each of our processes, by which a later run knows them. */
export function marker(dataDir: string): string {
  return `--fig-data=${dataDir}`;
}

/** Whether a process id is alive; one of another user counts as alive. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether this process id is one of ours and not of a stranger who got the number since. */
export async function isMarked(pid: number, dataDir: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  // The word is the last one: a longer path that begins alike is another folder.
  return `${await commandLine(pid)} `.includes(`${marker(dataDir)} `);
}

async function commandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    } catch {
      return '';
    }
  }
  if (findCommand('ps') === undefined) return '';
  return (await run('ps', ['-o', 'args=', '-p', String(pid)]).catch(() => '')).trim();
}
