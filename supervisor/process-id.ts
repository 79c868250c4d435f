import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Linux counts starts in these, whatever its kernel's own clock is. */
const TICKS_PER_SECOND = 100;

/** Whether a process id is alive; one of another user counts as alive. */
export function isAlive(pid: number): boolean {
  // 0 and negative numbers would name groups of processes.
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * When a process started, in ms since 1970, exact to a second or two: its id alone proves nothing, since ids are
 * given out again. Undefined where the system does not tell.
 */
export function startedAt(pid: number): number | undefined {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold anything; the start is the 20th field behind it.
    const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
    const boot = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]);
    return (boot + ticks / TICKS_PER_SECOND) * 1_000;
  } catch {
    return undefined;
  }
}

function fromPs(pid: number): number | undefined {
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC0' };
  const { status, stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
    encoding: 'utf8',
    env,
  });
  return status === 0 ? Date.parse(`${stdout.trim()} UTC`) : undefined;
}
