import { startRedis } from '../../system/index.ts';
import type { PrivateRedis } from '../../system/index.ts';
import { withTempDir } from './temp-dir.ts';

/**
 * Gives `use` a Redis of its own and stops it afterwards.
 * @param password made up when absent
 */
export function withRedis<T>(
  use: (redis: PrivateRedis) => Promise<T>,
  password?: string,
): Promise<T> {
  return withTempDir(async (directory) => {
    const redis = await startRedis(directory, password);
    try {
      return await use(redis);
    } finally {
      await redis.stop();
    }
  });
}
