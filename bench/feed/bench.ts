import { startRedis } from '../../system/index.ts';
import type { BenchContext, Result } from '../harness/index.ts';
import { captureCost } from './capture.ts';
import { catchUp } from './catch-up.ts';
import type { FeedContext, FeedOptions } from './context.ts';
import { lag } from './lag.ts';
import { benchPostgres } from './postgres.ts';
import { writerBeside } from './writer-beside.ts';

type Part = (context: FeedContext) => Promise<readonly Result[]>;

/** What can be measured by itself, by name. */
export const PARTS: Readonly<Record<string, Part>> = {
  'catch-up': catchUp,
  lag,
  writers: async (context) => [
    ...(await writerBeside(context, 0)),
    ...(await writerBeside(context, 4)),
  ],
  capture: captureCost,
  postgres: benchPostgres,
};

/** Measures the feed: catching up, its lag, and what it costs those who write. */
export async function benchFeed(context: BenchContext<FeedOptions>): Promise<readonly Result[]> {
  const { only } = context.options;
  const redis = await startRedis(context.folder);
  const results: Result[] = [];
  try {
    for (const [name, part] of Object.entries(PARTS)) {
      if (only !== undefined && only !== name) continue;
      context.say(name);
      results.push(...(await part({ ...context, redisUrl: redis.url })));
    }
    return results;
  } finally {
    await redis.stop();
  }
}
