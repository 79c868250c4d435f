import { startRedis } from '../../system/index.ts';
import type { PrivateRedis } from '../../system/index.ts';
import { withTempDir } from './temp-dir.ts';

/** Gives `use` a Redis of its own and stops it afterwards. */
export function withRedis<T>(use: (redis: PrivateRedis) => Promise<T>): Promise<T> {
  return withTempDir(async (directory) => {
    const redis = await startRedis(directory);
    try {
      return await use(redis);
    } finally {
      await redis.stop();
    }
  });
}
