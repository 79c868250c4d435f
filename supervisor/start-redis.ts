import { join } from 'node:path';
import { createLog } from '../chassis/index.ts';
import { logFiles } from './log-sink.ts';
import { findRedis } from './redis-find.ts';
import { RedisServer } from './redis-server.ts';
import { Supervised } from './supervised.ts';

/** A Redis of one's own, apart from any system; it is started again when it dies. */
export interface PrivateRedis {
  readonly url: string;
  pid(): number | undefined;
  kill(signal?: NodeJS.Signals): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a Redis on a free port, for tests and tools that need no more than that.
 * @param directory where it works and logs; the caller removes it
 * @param password what its clients must know; made up when absent
 * @throws RedisMissing when this machine has none and none can be fetched
 */
export async function startRedis(directory: string, password?: string): Promise<PrivateRedis> {
  const sink = logFiles(directory);
  const log = createLog('supervisor', 'info', {
    write: (line: string) => sink.write('supervisor', line.trimEnd()),
  });
  const server = new RedisServer({
    binary: await findRedis({ log }),
    directory: join(directory, 'redis'),
    sink,
    ...(password === undefined ? {} : { password }),
  });
  const redis = new Supervised(server, { log, onDeath: () => {}, onRebirth: () => {} });
  await redis.start(3);
  return {
    url: server.url,
    pid: () => redis.pid,
    kill: (signal = 'SIGKILL') => redis.kill(signal),
    stop: async () => {
      await redis.stop(5_000);
      sink.close();
    },
  };
}
