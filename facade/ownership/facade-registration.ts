import type { Redis } from 'ioredis';
import { redisThatMayBeAway } from '../../chassis/redis/index.ts';
import type { Logger, OperatorToken } from '../../chassis/index.ts';
import {
  DRAIN_HEADER,
  FACADE_TTL_MS,
  facadeKey,
  FACADES_KEY,
  drainText,
} from '../../routing/index.ts';
import type { Capability } from '../match/index.ts';
import { randomId, within } from '../../chassis/index.ts';
import type { OwnershipCache } from './ownership-cache.ts';

/** How long a facade waits for Redis before it serves without, in ms. */
const START_MS = 1_000;
const TELL_MS = FACADE_TTL_MS / 6;

interface RegistrationOptions {
  readonly ownershipCache: OwnershipCache;
  readonly redisUrl: string | undefined;
  readonly log: Logger;
  readonly token: OperatorToken;
  /** Asks the engine, which is told by that where there is no Redis. */
  readonly askEngine: () => Promise<void>;
}

/**
 * Lets the engine know when no write of a capability is under way here, for applications that can't
 * say FENCED: a write that met a closed fence there would be an error to its client. Facades that
 * have no such application before them keep silent, and are not waited for.
 */
export class FacadeRegistration {
  readonly #options: RegistrationOptions;
  readonly #id = randomId();
  /** By `Capability.index`. */
  readonly #underWay: number[] = [];
  readonly #finished: Record<string, number> = {};
  #capabilities: readonly Capability[] = [];
  #redis: Redis | undefined;
  #connected: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    options.ownershipCache.onChange = (capability) => this.#look(capability);
  }

  /** Follows these capabilities from now on. */
  adopt(capabilities: readonly Capability[]): void {
    this.#capabilities = capabilities.filter(({ finishesFirst }) => finishesFirst);
    for (const capability of capabilities) this.#look(capability);
  }

  /** Starts to tell, if there is anything to; resolves once it has, or Redis keeps it waiting. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.#tell(), TELL_MS).unref();
    if (this.#capabilities.length === 0 || !this.#connection()) return;
    await within(START_MS, this.#connected);
    await this.#tell();
  }

  /** A write leaves for a side. */
  begin(changes: readonly Capability[]): void {
    for (const { index } of changes) this.#underWay[index] = (this.#underWay[index] ?? 0) + 1;
  }

  /** It is answered, or nobody will answer it. */
  end(changes: readonly Capability[]): void {
    for (const capability of changes) {
      const left = (this.#underWay[capability.index] ?? 0) - 1;
      this.#underWay[capability.index] = left;
      if (left === 0) this.#look(capability);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const redis = this.#redis;
    if (redis?.status === 'ready') {
      const leave = redis.multi().srem(FACADES_KEY, this.#id).del(facadeKey(this.#id));
      await leave.exec().catch(ignore);
    }
    redis?.disconnect();
  }

  #look(capability: Capability): void {
    if (!capability.finishesFirst || (this.#underWay[capability.index] ?? 0) > 0) return;
    const { holding, epoch } = this.#options.ownershipCache.ofDefault(capability);
    if (!holding || (this.#finished[capability.name] ?? 0) >= epoch) return;
    this.#finished[capability.name] = epoch;
    void this.#tell();
  }

  /** What the engine is told with each question, where there is no Redis. */
  get header(): Readonly<Record<string, string>> {
    if (this.#options.redisUrl !== undefined || this.#capabilities.length === 0) return {};
    return { [DRAIN_HEADER]: `${this.#id} ${drainText({ finished: this.#finished })}` };
  }

  async #tell(): Promise<void> {
    if (this.#capabilities.length === 0) return;
    if (this.#options.redisUrl === undefined) return this.#options.askEngine();
    const redis = this.#connection();
    if (redis?.status !== 'ready') return;
    const key = facadeKey(this.#id);
    const text = this.#options.token.seal(key, drainText({ finished: this.#finished }));
    const told = redis.multi().set(key, text, 'PX', FACADE_TTL_MS);
    await told.sadd(FACADES_KEY, this.#id).exec().catch(ignore);
  }

  #connection(): Redis | undefined {
    const { redisUrl, log } = this.#options;
    if (this.#redis || redisUrl === undefined) return this.#redis;
    const redis = redisThatMayBeAway(redisUrl, log, { commandTimeout: START_MS });
    redis.on('ready', () => void this.#tell());
    this.#connected = redis.connect().catch(ignore);
    this.#redis = redis;
    return redis;
  }
}

function ignore(): void {
  // Told again in a moment, or missed.
}
