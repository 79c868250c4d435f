import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Linux counts starts in these, whatever its kernel's own clock is. */
const TICKS_PER_SECOND = 100;

/**
 * When a process started: a process id alone names nobody, since ids are given out again.
 *
 * @param {number} pid
 * @returns {number | undefined} milliseconds since the epoch, exact to a second or two; undefined
 *   when there is no such process, or this system does not tell
 */
export function startedAt(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid) {
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

function fromPs(pid) {
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC0' };
  const { status, stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
    encoding: 'utf8',
    env,
  });
  return status === 0 ? Date.parse(`${stdout.trim()} UTC`) : undefined;
}

/** Whether there is a process with this id; it may be another one than is meant. */
export function lives(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
