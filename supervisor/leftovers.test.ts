import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createLog } from '../chassis/index.ts';
import { eventually, withTempDir } from '../tests/support/index.ts';
import { clearLeftovers } from './leftovers.ts';
import { logFiles } from './log-sink.ts';
import { findRedis } from './redis-find.ts';
import { RedisServer } from './redis-server.ts';
import { readSystemFile, writeSystemFile } from './system-file.ts';
import type { ProcessEntry } from './system-file.ts';

const log = createLog('test', 'silent');

function leave(dataDir: string, processes: Readonly<Record<string, ProcessEntry>>): void {
  writeSystemFile(dataDir, {
    pid: 1,
    startedAt: '2026-01-01T00:00:00.000Z',
    redisUrl: '',
    flagsFile: '',
    processes,
    env: {},
  });
}

/** A Redis that nobody watches over, as a killed supervisor leaves it. */
async function withOrphanRedis(
  directory: string,
  use: (redis: { url: string; pid: number; dead: () => boolean }) => Promise<void>,
): Promise<void> {
  const sink = logFiles(directory);
  const server = new RedisServer({ binary: await findRedis({ log }), directory, sink });
  const { child, started } = await server.launch();
  try {
    await started;
    const dead = (): boolean => child.exitCode !== null || child.signalCode !== null;
    await use({ url: server.url, pid: child.pid ?? 0, dead });
  } finally {
    child.kill('SIGKILL');
    sink.close();
  }
}

describe('clearLeftovers', () => {
  it('stops the Redis of the last run on this folder', () =>
    withTempDir((dataDir) =>
      withOrphanRedis(join(dataDir, 'redis'), async ({ url, pid, dead }) => {
        leave(dataDir, { redis: { pid, url } });
        await clearLeftovers(dataDir, log);
        await eventually(dead);
        expect(readSystemFile(dataDir)).toBeUndefined();
      }),
    ));

  it('leaves a Redis of somebody else alone that got the same port', () =>
    withTempDir((dataDir) =>
      withOrphanRedis(join(dataDir, 'of-somebody-else'), async ({ url, pid, dead }) => {
        leave(dataDir, { redis: { pid, url } });
        await clearLeftovers(dataDir, log);
        expect(dead()).toBe(false);
      }),
    ));

  it('leaves a stranger alone who got the process id of one of ours', () =>
    withTempDir(async (dataDir) => {
      leave(dataDir, { monolith: { pid: process.pid, url: 'http://127.0.0.1:1' } });
      await expect(clearLeftovers(dataDir, log)).resolves.toBeUndefined();
    }));
});
