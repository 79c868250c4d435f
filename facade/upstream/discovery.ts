import type { Redis } from 'ioredis';
import { within } from '../../chassis/index.ts';
import type { Logger, OperatorToken } from '../../chassis/index.ts';
import { redisThatMayBeAway, servicesKey } from '../../chassis/redis/index.ts';
import { RegisteredInstances } from './registered-instances.ts';
import type { Upstream } from './upstream.ts';

const REFRESH_MS = 1_000;
/** How long a facade waits for Redis before it serves without, and for each answer of it. */
const ANSWER_MS = 1_000;

interface DiscoveryOptions {
  readonly redisUrl: string | undefined;
  readonly token: OperatorToken;
  readonly log: Logger;
}

interface Followed {
  readonly upstream: Upstream;
  readonly registered: RegisteredInstances;
}

/**
 * Keeps a copy of which processes of upstreams have registered in Redis. While Redis is away, requests go on
 * by the copy. A facade whose configuration asks for no registry opens no connection.
 */
export class Discovery {
  readonly #options: DiscoveryOptions;
  /** By the upstream's name. */
  #followed: ReadonlyMap<string, Followed> = new Map();
  #redis: Redis | undefined;
  #connecting: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Since when Redis has answered each time, by this process's clock. */
  #since: number | undefined;
  #reading: Promise<void> | undefined;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  /** Follows these from now on; what is known of one stays while its networks do. */
  adopt(upstreams: readonly Upstream[]): void {
    const before = this.#followed;
    const followed = new Map<string, Followed>();
    for (const upstream of upstreams) {
      const { name, registry } = upstream;
      if (!registry) continue;
      const { networks } = registry;
      const known = before.get(name)?.registered;
      const registered =
        known && String(known.networks) === String(networks)
          ? known
          : new RegisteredInstances({ ...this.#options, service: name, networks });
      show(upstream, registered);
      followed.set(name, { upstream, registered });
    }
    this.#followed = followed;
  }

  /** Starts to read; resolves once it has, or Redis keeps it waiting. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.#refresh(), REFRESH_MS).unref();
    if (this.#followed.size === 0 || !this.#connection()) return;
    await within(ANSWER_MS, this.#connecting);
    await this.#refresh();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#redis?.disconnect();
  }

  #refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    if (this.#followed.size === 0) return;
    const redis = this.#connection();
    if (redis?.status !== 'ready') return;
    try {
      for (const { upstream, registered } of this.#followed.values()) {
        const key = servicesKey(upstream.name);
        const stored = await redis.hgetall(key);
        const now = performance.now();
        this.#since ??= now;
        const gone = registered.read(stored, now, this.#since);
        show(upstream, registered);
        if (gone.length > 0) await redis.hdel(key, ...gone);
      }
    } catch (error) {
      this.#since = undefined;
      this.#options.log.debug({ err: error }, 'the registry of services can not be read');
    }
  }

  #connection(): Redis | undefined {
    const { redisUrl, log } = this.#options;
    if (this.#redis || redisUrl === undefined) return this.#redis;
    const redis = redisThatMayBeAway(redisUrl, log, { commandTimeout: ANSWER_MS });
    redis.on('ready', () => void this.#refresh());
    redis.on('close', () => {
      this.#since = undefined;
    });
    this.#connecting = redis.connect().catch(ignore);
    this.#redis = redis;
    return redis;
  }
}

function show(upstream: Upstream, registered: RegisteredInstances): void {
  upstream.entriesIgnored = registered.ignored;
  upstream.follow(registered.alive, 'registry');
}

function ignore(): void {
  // It goes on trying by itself, and says on `ready` when it is there.
}
