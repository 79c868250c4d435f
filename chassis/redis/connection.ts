import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import type { Logger } from '../log.ts';

const RECONNECT_MS = 250;

/**
 * A connection to a Redis that may be away at any time, also at the start: it comes back by itself
 * for as long as it takes, and what is asked of it meanwhile fails at once. It connects when it is
 * told to.
 * @param options what differs, such as a time limit for commands
 */
export function redisThatMayBeAway(url: string, log: Logger, options: RedisOptions = {}): Redis {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: null,
    retryStrategy: () => RECONNECT_MS,
    ...options,
  });
  redis.on('error', (error) => log.debug({ err: error }, 'Redis is away'));
  return redis;
}
