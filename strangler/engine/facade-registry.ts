import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Logger, OperatorToken } from '../../chassis/index.ts';
import { redisThatMayBeAway } from '../../chassis/redis/index.ts';
import { facadeKey, FACADES_KEY, parseDrain } from '../../routing/index.ts';
import type { FacadeDrain } from '../../routing/index.ts';

const COMMAND_MS = 500;
/** How often facades are looked at while writers wait. */
const LOOK_MS = 3;

/** The facades, as they tell of themselves in Redis. */
export class FacadeRegistry {
  readonly #redis: Redis | undefined;
  readonly #log: Logger;
  readonly #token: OperatorToken;

  /** @param token by which facades have sealed what they tell */
  constructor(redisUrl: string | undefined, log: Logger, token: OperatorToken) {
    this.#log = log;
    this.#token = token;
    if (redisUrl === undefined) return;
    this.#redis = redisThatMayBeAway(redisUrl, log, { commandTimeout: COMMAND_MS });
    this.#redis.connect().catch(() => undefined);
  }

  /**
   * Waits until no facade that is there has a write of the capability under way, all of them having
   * been told to hold. One that is gone, paused or cut off is not waited for longer than it takes to
   * be missed.
   * @throws Error that says who is still at work after `limitMs`, or that nobody can be asked
   */
  async finished(capability: string, epoch: number, limitMs: number): Promise<void> {
    const until = performance.now() + limitMs;
    for (;;) {
      const busy = await this.#busy(capability, epoch);
      if (busy === 0) return;
      if (performance.now() > until) {
        throw new Error(
          `writes of ${capability} are still under way after ${limitMs} ms, through ${busy} facade(s)`,
        );
      }
      await delay(LOOK_MS);
    }
  }

  async #busy(capability: string, epoch: number): Promise<number> {
    const redis = this.#redis;
    if (redis?.status !== 'ready') {
      throw new Error(
        `Redis is away, so facades can't be asked to let writes of ${capability} finish first`,
      );
    }
    const ids = await redis.smembers(FACADES_KEY);
    if (ids.length === 0) return 0;
    const texts = await redis.mget(ids.map(facadeKey));
    const gone = ids.filter((_id, index) => texts[index] === null);
    if (gone.length > 0) await redis.srem(FACADES_KEY, ...gone);
    const facades = ids.flatMap((id, index) => this.#facadeIn(id, texts[index] ?? null) ?? []);
    return facades.filter(({ finished }) => !((finished[capability] ?? 0) >= epoch)).length;
  }

  /** What a facade says of itself; what somebody else has put there is none of a facade's. */
  #facadeIn(id: string, sealed: string | null): FacadeDrain | undefined {
    if (sealed === null) return undefined;
    try {
      const text = this.#token.unseal(facadeKey(id), sealed);
      if (text !== undefined) return parseDrain(text);
    } catch {
      // Neither sealed nor JSON is garbage alike.
    }
    this.#log.warn({ key: facadeKey(id) }, 'not from a facade, and dropped');
    return undefined;
  }

  close(): void {
    this.#redis?.disconnect();
  }
}
