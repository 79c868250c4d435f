import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { ConfigurationError } from '../env.ts';
import type { ReadinessCheck } from '../web/index.ts';
import type { Logger } from '../log.ts';

const ATTEMPT_MS = 2_000;
const BETWEEN_MS = 500;
/** Codes of TLS (OpenSSL's, as Node names them). */
const UNTRUSTED = /^(SELF_SIGNED|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER))/;
const PLAIN = 'give redis:// instead of rediss://';

/** Whether a Redis that a process was told to use has ever answered. */
export interface RedisProbe {
  /**
   * Fails, saying which Redis does not answer and why, until it has answered once. Later absence is
   * no reason: everything goes on without Redis, but an address that never worked is a mistake.
   */
  readonly readiness: ReadinessCheck;
  /** What that check would say; undefined once Redis has answered. */
  trouble(): string | undefined;
  close(): void;
}

/**
 * Asks a Redis until it has answered once; each cause of a failure is logged once.
 * @throws ConfigurationError when the URL is none of a Redis
 */
export function probeRedis(url: string, log: Logger): RedisProbe {
  const address = redisAddress(url);
  const end = new AbortController();
  let trouble: string | undefined = `Redis at ${address} has not answered yet`;

  async function ask(): Promise<void> {
    while (!end.signal.aborted) {
      const cause = await causeOfSilence(url);
      if (cause === undefined) {
        trouble = undefined;
        if (isOpenToAll(url)) {
          const remedy = 'set a password or an ACL user there, and give it in REDIS_URL';
          log.warn({ remedy }, `Redis at ${address} asks for no password`);
        }
        return;
      }
      const text = `Redis at ${address} does not answer: ${cause}`;
      if (text !== trouble) log.warn({ remedy: 'correct REDIS_URL, or start it' }, text);
      trouble = text;
      await delay(BETWEEN_MS, undefined, { signal: end.signal, ref: false }).catch(() => {});
    }
  }

  void ask();
  return {
    readiness: () =>
      trouble === undefined ? Promise.resolve(true) : Promise.reject(new Error(trouble)),
    trouble: () => trouble,
    close: () => end.abort(),
  };
}

/**
 * The host and port of a Redis' URL, or the path of its socket; without user and password.
 * @throws ConfigurationError when the URL is none of a Redis
 */
export function redisAddress(url: string): string {
  if (url.startsWith('/')) return url;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const ours = parsed !== undefined && ['redis:', 'rediss:'].includes(parsed.protocol);
  if (ours && parsed.hostname !== '') return `${parsed.hostname}:${parsed.port || 6379}`;
  // What is no URL may hold a password anywhere, so that none of it is shown.
  const what = parsed === undefined ? 'is no URL' : `begins with ${parsed.protocol}`;
  throw new ConfigurationError(
    `REDIS_URL ${what}; give redis://user:password@host:port, or rediss:// for TLS`,
  );
}

/** Whether Redis serves every client that connects. Behind a unix socket the file's mode decides who does. */
function isOpenToAll(url: string): boolean {
  return !url.startsWith('/') && new URL(url).password === '';
}

/** Why a Redis does not serve us; undefined when it does. */
async function causeOfSilence(url: string): Promise<string | undefined> {
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: ATTEMPT_MS,
    commandTimeout: ATTEMPT_MS,
    disconnectTimeout: 50,
  });
  // The connection says more than the command that fails with it.
  let first: Error | undefined;
  redis.on('error', (error) => {
    first ??= error;
  });
  try {
    await redis.connect();
    await redis.ping();
    return undefined;
  } catch (error) {
    return explain(first ?? (error as Error), url);
  } finally {
    redis.disconnect();
  }
}

function explain(error: Error, url: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const tls = url.startsWith('rediss:');
  if (/WRONGPASS|invalid password|NOAUTH/.test(message)) {
    return `it refuses user or password (${message.split(' ', 1)[0]})`;
  }
  if (/wrong version number|packet length too long|EPROTO/.test(message)) {
    return `it speaks no TLS; ${PLAIN}`;
  }
  if (code !== undefined && UNTRUSTED.test(code)) {
    return `no authority that this process trusts has signed its certificate (${code}); name the authority's PEM file in NODE_EXTRA_CA_CERTS`;
  }
  // A Redis without TLS waits for the end of what it takes for a command.
  if (code === 'ETIMEDOUT' || /timed out/i.test(message)) {
    return `no answer within ${ATTEMPT_MS / 1_000} s${tls ? `; if it speaks no TLS, ${PLAIN}` : ''}`;
  }
  if (/Connection is closed|ECONNRESET|EPIPE|Protocol error/.test(message)) {
    return `it closes the connection; it is another server${tls ? '' : ', or one that wants rediss://'}`;
  }
  return code ?? message;
}
