import { ConfigurationError, isAuthOn } from '../../chassis/index.ts';
import type { Environment, Logger } from '../../chassis/index.ts';
import type { FigConfig, UpstreamPatterns } from '../../routing/index.ts';
import type { Counters } from '../counting/index.ts';
import type { Noted, Peers } from '../ownership/index.ts';
import { forward } from '../forward/index.ts';
import type { Guard, Handler, IssuerTrouble } from '../forward/index.ts';
import { Deadlines } from '../request/index.ts';
import type { Resilience, Upstream } from '../upstream/index.ts';
import { Authentication, IdentityKey } from './auth/index.ts';
import { CircuitBreaker } from './breaker.ts';
import { Cache } from './cache/index.ts';
import { composing } from './compositions/index.ts';
import { RateLimits } from './limits.ts';
import { OpenApi } from './openapi/index.ts';
import { BudgetedRetries } from './retries.ts';
import { Versions } from './versions/index.ts';

/**
 * The public half of the key that signs identities, as a JWKS; no key where callers are not known.
 * @throws ConfigurationError when the key's file can't be used
 */
export function publishedKeys(
  env: Environment,
  { auth }: FigConfig['gateway'],
): { readonly keys: readonly object[] } {
  return auth ? new IdentityKey(env).jwks : { keys: [] };
}

interface GatewayOptions {
  readonly env: Environment;
  readonly log: Logger;
  readonly counters: Counters;
  readonly redisUrl: string | undefined;
  /** Other workers at the same port; absent where there are none. */
  readonly peers: Peers | undefined;
  /** The monolith, as the configuration in use has it. */
  readonly monolith: () => Upstream;
}

/** The patterns at the edge, as a configuration switches them on. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #limits: RateLimits;
  #authentication: Authentication | undefined;
  #cache: Cache | undefined;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#limits = new RateLimits(options);
  }

  /**
   * What requests pass before they are routed: identity, then limits.
   * @throws ConfigurationError when a file that the configuration names can't be used, or when FIG_AUTH=on lets
   *   the facade listen beyond this machine and the configuration identifies no caller
   */
  guardsFor(config: FigConfig): readonly Guard[] {
    const { auth } = config.gateway;
    const { env, log, monolith } = this.#options;
    if (!auth && isAuthOn(env)) throw authMissing();
    const guards: Guard[] = [];
    const before = this.#authentication;
    const authentication =
      auth && new Authentication(auth, config, { key: new IdentityKey(env), log, monolith });
    this.#authentication = authentication;
    before?.close();
    if (authentication) guards.push((context) => authentication.admit(context));
    const limit = this.#limits.guardFor(config);
    if (limit) guards.push(limit);
    return guards;
  }

  /** Which versions of the interface there are; undefined for one alone. */
  versionsFor(config: FigConfig): Versions | undefined {
    const { versions } = config.gateway;
    const { log, counters } = this.#options;
    return versions && new Versions(versions, config, { log, counted: counters.versions });
  }

  /**
   * Takes requests that the guards have let in; to be asked for after the guards.
   * @throws ConfigurationError when a file that the configuration names can't be used
   */
  handlerFor(config: FigConfig, versions: Versions | undefined): Handler {
    const { gateway } = config;
    let handler: Handler = forward;
    if (gateway.compositions.length > 0) {
      handler = composing(gateway, this.#authentication?.system, handler);
    }
    if (versions) handler = versions.translating(handler);
    if (gateway.cache) {
      const { counters, peers } = this.#options;
      this.#cache = new Cache(gateway.cache, config, counters.cached, peers);
      handler = this.#cache.handler(handler);
    }
    if (versions) handler = versions.marking(handler);
    if (gateway.openapi) handler = new OpenApi(gateway.openapi).handler(handler);
    return handler;
  }

  /** What guards an upstream; each has its own. */
  resilienceFor(
    upstream: string,
    { breaker, retry, fallback, timeouts }: UpstreamPatterns,
  ): Resilience {
    return {
      breaker: breaker ? new CircuitBreaker(upstream, breaker, this.#options.log) : undefined,
      retries: retry ? new BudgetedRetries(retry) : undefined,
      timeouts: timeouts && {
        firstByte: deadlinesOf(timeouts.firstByteMs),
        silence: deadlinesOf(timeouts.silenceMs),
      },
      fallsBack: fallback !== 'none',
    };
  }

  /** What another worker's writes of that name count for. */
  notedIn(name: string): Noted | undefined {
    return this.#cache?.notedIn(name);
  }

  get issuerTrouble(): IssuerTrouble | undefined {
    return this.#authentication?.issuerTrouble;
  }

  close(): void {
    this.#authentication?.close();
    this.#limits.close();
  }
}

function deadlinesOf(ms: number | undefined): Deadlines | undefined {
  return ms === undefined ? undefined : new Deadlines(ms);
}

function authMissing(): ConfigurationError {
  return new ConfigurationError(
    'FIG_AUTH=on, but the configuration has no gateway.auth: every caller would be let in; ' +
      'add gateway.auth (docs/gateway/authentication.md), or leave FIG_AUTH out',
  );
}
