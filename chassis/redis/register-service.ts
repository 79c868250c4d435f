import type { Access } from '../access.ts';
import { onDraining, isDraining } from '../draining.ts';
import type { Environment } from '../env.ts';
import { createHttpClient } from '../http-client.ts';
import type { Listening } from '../http-server.ts';
import type { Logger } from '../log.ts';
import { redisThatMayBeAway } from './connection.ts';
import { redisAddress } from './probe.ts';
import { BEAT_MS, sealEntry, servicesKey } from './service-entry.ts';

const ANSWER_MS = 1_000;
/** The entries of a service whose processes have all died are gone after so long. */
const KEPT_MS = 60_000;
const WILDCARDS = new Set(['0.0.0.0', '::']);

/** What a process says of itself. */
export interface RegistrationOptions {
  /** Its name among the configuration's upstreams. */
  readonly name: string;
  readonly version: string;
  readonly capabilities: readonly string[];
  readonly env: Environment;
  readonly listening: Listening;
  readonly access: Access;
  readonly log: Logger;
}

/**
 * Keeps an entry of this process in Redis for as long as its own `/readyz` says that it is ready, so that
 * facades find it. Nothing is done without REDIS_URL, nor where the process listens on all addresses
 * and FIG_ADVERTISED_ADDRESS does not say by which one it is reached.
 * @returns what takes the entry away, to be called before the process stops listening
 * @throws ConfigurationError when REDIS_URL is none of a Redis
 */
export function registerService(options: RegistrationOptions): () => Promise<void> {
  const { name, version, capabilities, env, listening, access, log } = options;
  const { address, port } = listening;
  const reached = env['FIG_ADVERTISED_ADDRESS'] || (WILDCARDS.has(address) ? '' : address);
  const redisUrl = env['REDIS_URL'] || '';
  if (redisUrl === '' || reached === '') return () => Promise.resolve();
  redisAddress(redisUrl);

  const url = urlOf(reached, port);
  const key = servicesKey(name);
  const startedAt = new Date().toISOString();
  const self = createHttpClient(
    urlOf(WILDCARDS.has(address) ? '127.0.0.1' : address, port),
    ANSWER_MS,
  );
  const redis = redisThatMayBeAway(redisUrl, log, { commandTimeout: ANSWER_MS });
  let beat = 0;
  let hasLeft = false;

  async function isReady(): Promise<boolean> {
    try {
      return (await self.call('GET', '/readyz')).status === 200;
    } catch {
      return false;
    }
  }

  async function tell(): Promise<void> {
    const ready = await isReady();
    if (hasLeft || redis.status !== 'ready') return;
    if (!ready || isDraining()) {
      await redis.hdel(key, url).catch(ignore);
      return;
    }
    beat += 1;
    const told = { version, url, capabilities, startedAt, beat };
    const written = redis.multi().hset(key, url, sealEntry(access.token, name, told));
    await written.pexpire(key, KEPT_MS).exec().catch(ignore);
  }

  async function leave(): Promise<void> {
    hasLeft = true;
    if (redis.status === 'ready') await redis.hdel(key, url).catch(ignore);
  }

  redis.on('ready', () => void tell());
  redis.connect().catch(ignore);
  const timer = setInterval(() => void tell(), BEAT_MS).unref();
  // At once: what is sent here from now on may meet a closed door.
  onDraining(() => void leave());
  return async () => {
    clearInterval(timer);
    await leave();
    redis.disconnect();
    await self.close();
  };
}

function urlOf(address: string, port: number): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function ignore(): void {
  // Told again at the next beat, or gone when its beats end.
}
