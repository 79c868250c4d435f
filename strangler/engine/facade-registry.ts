import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Logger, OperatorToken } from '../../chassis/index.ts';
import { redisThatMayBeAway } from '../../chassis/redis/index.ts';
import { facadeKey, FACADES_KEY, FACADE_TTL_MS, parseDrain } from '../../routing/index.ts';
import type { FacadeDrain } from '../../routing/index.ts';

const COMMAND_MS = 500;
/** How often facades are looked at while writers wait. */
const LOOK_MS = 3;

/** Who is asked to let writes finish before a side is closed whose application can't say FENCED. */
export interface FacadeDrains {
  /** Why nobody could be asked right now; null where somebody can. */
  trouble(capability: string): string | null;
  /**
   * Waits until no facade that is there has a write of the capability under way, all of them having
   * been told to hold. One that is gone, paused or cut off is not waited for longer than it takes to
   * be missed.
   * @throws Error that says who is still at work after `limitMs`, or that nobody can be asked
   */
  finished(capability: string, epoch: number, limitMs: number): Promise<void>;
}

/** Where no engine runs that facades could ask. */
export const NO_FACADES: FacadeDrains = {
  trouble: () => 'facades can be asked to let writes finish first only while an engine runs',
  finished: () => Promise.reject(new Error('no engine runs that could ask the facades')),
};

/** The facades, as they tell of themselves in Redis; without Redis, as they tell when they ask the engine. */
export class FacadeRegistry implements FacadeDrains {
  readonly #redis: Redis | undefined;
  readonly #log: Logger;
  readonly #token: OperatorToken;
  /** By id, where there is no Redis: what each has told, and when. */
  readonly #heard = new Map<string, { readonly drain: FacadeDrain; readonly at: number }>();

  /** @param token by which facades have sealed what they tell */
  constructor(redisUrl: string | undefined, log: Logger, token: OperatorToken) {
    this.#log = log;
    this.#token = token;
    if (redisUrl === undefined) return;
    this.#redis = redisThatMayBeAway(redisUrl, log, { commandTimeout: COMMAND_MS });
    this.#redis.connect().catch(() => undefined);
  }

  /** A facade without Redis has told, with its question to the engine. */
  hear(text: string): void {
    const [id = ''] = text.split(' ', 1);
    this.#heard.set(id, { drain: parseDrain(text.slice(id.length + 1)), at: performance.now() });
  }

  trouble(capability: string): string | null {
    if (this.#redis) {
      if (this.#redis.status === 'ready') return null;
      return `Redis is away, so facades can't be asked to let writes of ${capability} finish first`;
    }
    if (this.#present().length > 0) return null;
    return (
      `no facade has asked the engine in the last ${FACADE_TTL_MS / 1_000} s, so none can be asked to let ` +
      `writes of ${capability} finish first`
    );
  }

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
    const trouble = this.trouble(capability);
    if (trouble !== null) throw new Error(trouble);
    const facades = this.#redis ? await this.#listed(this.#redis) : this.#present();
    return facades.filter(({ finished }) => !((finished[capability] ?? 0) >= epoch)).length;
  }

  /** Without Redis: those that have asked lately. */
  #present(): readonly FacadeDrain[] {
    const since = performance.now() - FACADE_TTL_MS;
    for (const [id, { at }] of this.#heard) if (at < since) this.#heard.delete(id);
    return [...this.#heard.values()].map(({ drain }) => drain);
  }

  async #listed(redis: Redis): Promise<readonly FacadeDrain[]> {
    const ids = await redis.smembers(FACADES_KEY);
    if (ids.length === 0) return [];
    const texts = await redis.mget(ids.map(facadeKey));
    const gone = ids.filter((_id, index) => texts[index] === null);
    if (gone.length > 0) await redis.srem(FACADES_KEY, ...gone);
    return ids.flatMap((id, index) => this.#facadeIn(id, texts[index] ?? null) ?? []);
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
