import { Problem } from '../../chassis/index.ts';
import type { Logger } from '../../chassis/index.ts';
import type { FigConfig, RateLimit } from '../../routing/index.ts';
import type { Counters } from '../counting/index.ts';
import type { Guard, RequestContext } from '../forward/index.ts';
import { PathRules } from '../match/index.ts';
import { Buckets } from './buckets.ts';
import { networkOf } from './client-network.ts';
import { SharedCounts } from './shared-counts.ts';

interface RateLimitsOptions {
  readonly counters: Pick<Counters, 'limited' | 'limitsAreShared'>;
  /** Where processes add their counts up; without it each counts for itself. */
  readonly redisUrl: string | undefined;
  readonly log: Logger;
}

/** A limit, and who has used how much of it. */
interface Counted extends RateLimit {
  readonly buckets: Buckets;
  /** What RateLimit-Policy says of it. */
  readonly policy: string;
}

/**
 * Limits how many requests a client may send: by the token's subject, else by the address, as far as
 * proxies of ours vouch for it. Headers as in draft-ietf-httpapi-ratelimit-headers-10.
 */
export class RateLimits {
  readonly #options: RateLimitsOptions;
  #counted: readonly Counted[] = [];
  #shared: SharedCounts | undefined;

  constructor(options: RateLimitsOptions) {
    this.#options = options;
  }

  /** Counts go on where a limit keeps its name and window. */
  guardFor(config: FigConfig): Guard | undefined {
    const { limits = [] } = config.gateway;
    this.#counted = limits.map((limit) => this.#countedFor(limit));
    const { redisUrl, log, counters } = this.#options;
    if (limits.length === 0) {
      counters.limitsAreShared = undefined;
      return undefined;
    }
    if (redisUrl !== undefined) this.#shared ??= new SharedCounts(redisUrl, log);
    counters.limitsAreShared = () => this.#shared?.isShared === true;
    const rules = new PathRules(this.#counted, config);
    return (context) => {
      const limit = rules.find(context.form.method, context.form.path);
      if (limit) this.#count(limit, context);
      return undefined;
    };
  }

  close(): void {
    this.#shared?.close();
  }

  #countedFor(limit: RateLimit): Counted {
    const { name, requests, seconds } = limit;
    const known = this.#counted.find((each) => each.name === name && each.seconds === seconds);
    return {
      ...limit,
      buckets: known?.buckets ?? new Buckets(`${name}:${seconds}`, seconds * 1_000),
      policy: `"${name}";q=${requests};w=${seconds}`,
    };
  }

  /** @throws Problem 429 where the client has no request left */
  #count({ name, requests, policy, buckets }: Counted, context: RequestContext): void {
    const now = performance.now();
    const bucket = buckets.of(clientOf(context), now);
    const isOver = bucket.used >= requests;
    if (!isOver) {
      bucket.used += 1;
      this.#shared?.add(bucket);
    }
    const left = Math.max(0, requests - bucket.used);
    const seconds = secondsUntil(bucket.endsAt, now);
    const headers = (context.added ??= []);
    headers.push('ratelimit-policy', policy);
    headers.push('ratelimit', `"${name}";r=${left};t=${seconds}`);
    if (!isOver) return;
    const { limited } = this.#options.counters;
    limited.set(name, (limited.get(name) ?? 0) + 1);
    throw rateLimited(name, seconds);
  }
}

/** Whole seconds, at least one. To the millisecond first: what is a sum of fractions may be a hair more. */
function secondsUntil(then: number, now: number): number {
  return Math.max(1, Math.ceil(Math.round(then - now) / 1_000));
}

function clientOf({ identity, client }: RequestContext): string {
  const subject = identity?.subject;
  // Callers without a token are as many as their addresses.
  return subject === undefined ? networkOf(client) : `subject:${subject}`;
}

function rateLimited(name: string, seconds: number): Problem {
  return new Problem(
    429,
    'rate_limited',
    `this client has no request left of the limit "${name}"; nothing has happened, try again in ${seconds} s`,
    { headers: { 'retry-after': String(seconds) }, members: { 'violated-policies': [name] } },
  );
}
