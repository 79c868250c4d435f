import { readFileSync } from 'node:fs';
import { findCommand, run } from './command.ts';
import { isAlive } from './process-id.ts';

/** A word on the command line of each of our processes, by which a later run knows them. */
export function marker(dataDir: string): string {
  return `--fig-data=${dataDir}`;
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
