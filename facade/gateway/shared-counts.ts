import type { Redis } from 'ioredis';
import type { RateLimiterRedis } from 'rate-limiter-flexible';
import type { Logger } from '../../chassis/index.ts';
import { redisThatMayBeAway } from '../../chassis/redis/index.ts';
import type { Bucket } from './buckets.ts';

/** How long a request may be unknown to other processes, beside the way to Redis and back. */
const SEND_MS = 20;
/** So that clients who all come once do not fill a turn of the event loop with commands. */
const SENT_AT_ONCE = 64;
/** While Redis is away, or falls behind, the counts of more clients than that are not sent later. */
const MOST_WAITING = 100_000;
/** A Redis that hangs is away: the connection is given up, with whatever was sent on it. */
const SILENCE_MS = 1_000;
const PREFIX = 'fig:limit';

/**
 * Adds up what all processes have counted, in Redis. No request waits for it: each process counts at once
 * what it lets through, sends that on, and takes over the sum that comes back. While Redis is away,
 * each goes by what it has counted itself.
 */
export class SharedCounts {
  readonly #log: Logger;
  readonly #redis: Redis;
  readonly #waiting = new Set<Bucket>();
  #limiter: RateLimiterRedis | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isShared = false;
  readonly #lost = (): void => this.#tell(false);

  constructor(url: string, log: Logger) {
    this.#log = log;
    this.#redis = redisThatMayBeAway(url, log, {
      socketTimeout: SILENCE_MS,
      // What may have been counted must not be counted again.
      autoResendUnfulfilledCommands: false,
    });
    this.#redis.on('ready', () => {
      this.#tell(true);
      this.#sendSoon();
    });
    this.#redis.on('close', this.#lost);
    void this.#start();
  }

  /** Whether Redis is there, and has answered what was last asked of it. */
  get isShared(): boolean {
    return this.#isShared;
  }

  /** A request was let through. */
  add(bucket: Bucket): void {
    bucket.unsent += 1;
    this.#waiting.add(bucket);
    if (this.#waiting.size > MOST_WAITING) this.#forgetOldest();
    this.#sendSoon();
  }

  #forgetOldest(): void {
    for (const oldest of this.#waiting) {
      this.#waiting.delete(oldest);
      return;
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#redis.off('close', this.#lost).disconnect();
  }

  /** Only a facade that limits requests loads the library, which knows a dozen stores. */
  async #start(): Promise<void> {
    this.#redis.connect().catch(ignore);
    const { RateLimiterRedis: Limiter } = await import('rate-limiter-flexible');
    // How much is too much is decided by each process; this one only counts.
    this.#limiter = new Limiter({
      storeClient: this.#redis,
      keyPrefix: PREFIX,
      points: 0,
      duration: 1,
    });
    this.#sendSoon();
  }

  #sendSoon(): void {
    if (this.#waiting.size === 0 || this.#redis.status !== 'ready') return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#send();
    }, SEND_MS).unref();
  }

  #send(): void {
    const limiter = this.#limiter;
    if (!limiter) return;
    const now = performance.now();
    let room = SENT_AT_ONCE;
    for (const bucket of this.#waiting) {
      if (room === 0) break;
      this.#waiting.delete(bucket);
      if (bucket.endsAt <= now) continue;
      room -= 1;
      void this.#count(bucket, limiter);
    }
    this.#sendSoon();
  }

  async #count(bucket: Bucket, limiter: RateLimiterRedis): Promise<void> {
    const { key, windowMs, unsent } = bucket;
    bucket.unsent = 0;
    bucket.unconfirmed += unsent;
    try {
      const sum = await limiter.penalty(key, unsent, { customDuration: windowMs / 1_000 });
      bucket.unconfirmed -= unsent;
      bucket.used = sum.consumedPoints + bucket.unconfirmed + bucket.unsent;
      bucket.endsAt = performance.now() + Math.min(sum.msBeforeNext, windowMs);
      this.#tell(true);
    } catch (error) {
      // Redis may have counted it all the same. It is not sent again, so no client is refused for a request counted twice.
      bucket.unconfirmed -= unsent;
      this.#tell(false, error);
    }
  }

  #tell(isShared: boolean, error?: unknown): void {
    if (isShared === this.#isShared) return;
    this.#isShared = isShared;
    if (isShared) this.#log.info('rate limits are counted together with other processes');
    else this.#log.warn({ err: error }, 'Redis is away: rate limits are counted in each process');
  }
}

function ignore(): void {
  // It goes on trying by itself.
}
