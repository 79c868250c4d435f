import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { HttpClient, Logger, OperatorToken } from '../../chassis/index.ts';
import { redisThatMayBeAway } from '../../chassis/redis/index.ts';
import { ROUTING_CHANNEL } from '../../routing/index.ts';
import type { OwnershipCache } from './ownership-cache.ts';

const POLL_MS = 1_000;
/** With Redis there, the engine is still asked now and then: a message may get lost. */
const POLLS_BETWEEN_CHECKS = 5;
const ASK_TIMEOUT_MS = 1_000;

const side = z.enum(['legacy', 'extracted']);
const owned = z.object({ owner: side.nullable(), epoch: z.number(), holding: z.boolean() });
const routingState = owned.extend({
  capability: z.string(),
  replicaReady: z.boolean(),
  generation: z.number(),
  cohorts: z.array(owned.extend({ keys: z.array(z.string()) })).default([]),
});
const routingAnswer = z.union([
  z.array(routingState),
  z.object({ capabilities: z.array(routingState) }).transform(({ capabilities }) => capabilities),
]);

interface RoutingFeedOptions {
  readonly ownershipCache: OwnershipCache;
  readonly engine: HttpClient;
  readonly redisUrl: string | undefined;
  readonly log: Logger;
  /** By which the engine has sealed what it tells. */
  readonly token: OperatorToken;
  /** Headers of each question to the engine. */
  readonly told: () => Readonly<Record<string, string>>;
}

/**
 * Carries routing updates into the ownership cache: pushed over Redis, asked of the engine while Redis is
 * away. Nothing here is ever waited for in a request's way, save by `confirm`.
 */
export class RoutingFeed {
  readonly #ownershipCache: OwnershipCache;
  readonly #engine: HttpClient;
  readonly #log: Logger;
  readonly #token: OperatorToken;
  readonly #told: RoutingFeedOptions['told'];
  readonly #subscriber: Redis | undefined;
  readonly #reader: Redis | undefined;
  #live = false;
  #polls = 0;
  #heardAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #asking: Promise<void> | undefined;
  #askingNext: Promise<void> | undefined;

  constructor({ ownershipCache, engine, redisUrl, log, token, told }: RoutingFeedOptions) {
    this.#token = token;
    this.#told = told;
    this.#ownershipCache = ownershipCache;
    this.#engine = engine;
    this.#log = log;
    if (redisUrl === undefined) return;
    this.#subscriber = redisThatMayBeAway(redisUrl, log, { autoResubscribe: false });
    this.#reader = redisThatMayBeAway(redisUrl, log, { autoResubscribe: false });
  }

  /** Whether the engine pushes routing updates. */
  get live(): boolean {
    return this.#live;
  }

  /** How long ago the engine has last said who owns what, in ms; null where it never has. */
  get ageMs(): number | null {
    return this.#heardAt === undefined ? null : Math.round(performance.now() - this.#heardAt);
  }

  /** Starts listening; resolves when the engine has been asked once. */
  async start(): Promise<void> {
    const subscriber = this.#subscriber;
    subscriber?.on('message', (_channel, text: string) => this.#hear(text));
    subscriber?.on('ready', () => void this.#subscribe());
    subscriber?.on('close', () => {
      this.#live = false;
    });
    subscriber?.connect().catch(ignore);
    this.#reader?.connect().catch(ignore);
    this.#timer = setInterval(() => this.#poll(), POLL_MS).unref();
    await this.#ask();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#subscriber?.disconnect();
    this.#reader?.disconnect();
  }

  /** Asks the engine now; the answer is in the ownership cache when this resolves. Never throws. */
  confirm(): Promise<void> {
    if (!this.#asking) return this.#ask();
    // The question under way may have been answered before the caller's reason to ask.
    this.#askingNext ??= this.#asking.then(() => {
      this.#askingNext = undefined;
      return this.#ask();
    });
    return this.#askingNext;
  }

  async #subscribe(): Promise<void> {
    try {
      await this.#subscriber?.subscribe(ROUTING_CHANNEL);
      this.#live = true;
      // Only now: what was published before the subscription is in the hash.
      if (this.#reader?.status === 'ready') {
        const states = await this.#reader.hgetall(ROUTING_CHANNEL);
        for (const text of Object.values(states)) this.#hear(text);
      }
      await this.confirm();
    } catch (error) {
      this.#log.warn(
        { err: error },
        'cannot subscribe to routing updates; asking the engine instead',
      );
    }
  }

  /** Anybody who reaches Redis can publish, and an epoch beyond the fences' would count for good. */
  #hear(sealed: string): void {
    const text = this.#token.unseal(ROUTING_CHANNEL, sealed);
    if (text === undefined) {
      this.#log.warn('not from an engine with our token, and dropped: a message in Redis');
      return;
    }
    try {
      this.#ownershipCache.learn(routingState.parse(JSON.parse(text)));
      this.#heardAt = performance.now();
    } catch (error) {
      this.#log.warn({ err: error, text }, 'not understood on the routing channel');
    }
  }

  #poll(): void {
    this.#polls += 1;
    if (!this.#live || this.#polls % POLLS_BETWEEN_CHECKS === 0) void this.confirm();
  }

  #ask(): Promise<void> {
    if (!this.#ownershipCache.hasReplicated) return Promise.resolve();
    this.#asking ??= this.#askEngine().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #askEngine(): Promise<void> {
    try {
      const answer = await this.#engine.call('GET', '/routing', {
        timeoutMs: ASK_TIMEOUT_MS,
        headers: this.#told(),
      });
      if (answer.status !== 200) return;
      for (const state of routingAnswer.parse(answer.body)) this.#ownershipCache.learn(state);
      this.#heardAt = performance.now();
    } catch (error) {
      this.#log.debug({ err: error }, 'the engine does not tell who owns what');
    }
  }
}

function ignore(): void {
  // The connection retries by itself, and says on `ready` when it is there.
}
