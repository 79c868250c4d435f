import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../chassis/index.ts';
import { isMarked } from './marker.ts';
import { askRedis, shutDownRedis } from './redis-server.ts';
import { readSystemFile, removeSystemFile } from './system-file.ts';

/** Longer than a process takes to close by itself. */
const PATIENCE_MS = 10_000;

/**
 * Clears what a supervisor that was killed has left behind. Its processes end by themselves, and
 * are waited for, since they hold the ports; one that does not is killed. Call it only while
 * holding the data folder's lock. A process id alone proves nothing, so each is checked to be ours.
 */
export async function clearLeftovers(dataDir: string, log: Logger): Promise<void> {
  const left = readSystemFile(dataDir);
  if (left === undefined) return;
  log.info({ supervisor: left.pid }, 'the last run did not stop cleanly: clearing what is left');
  const { redis, ...processes } = left.processes;
  await Promise.all([
    ...Object.values(processes).map(({ pid }) => endProcess(pid, dataDir, log)),
    ...(redis ? [endRedis(redis.url, dataDir, log)] : []),
  ]);
  removeSystemFile(dataDir);
}

async function endProcess(pid: number, dataDir: string, log: Logger): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (await isMarked(pid, dataDir)) {
    const late = Date.now() > deadline;
    if (late) log.warn({ pid }, 'killing a process of the last run');
    signalQuietly(pid, late ? 'SIGKILL' : 'SIGCONT');
    await delay(50);
  }
}

async function endRedis(url: string, dataDir: string, log: Logger): Promise<void> {
  const facts = await askRedis(url);
  if (facts?.directory !== join(dataDir, 'redis')) return;
  log.info({ pid: facts.pid }, 'stopping the Redis of the last run');
  await shutDownRedis(url);
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in the meantime, which is what was wanted.
  }
}
