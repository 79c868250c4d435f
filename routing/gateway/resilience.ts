import { z } from 'zod';

/** Sends a request again that came to nothing, where that is provably safe. */
const retry = z.strictObject({
  /** How often a request is sent in all. */
  attempts: z.int().min(2).max(5).default(3),
  /** The longest that is waited before the second attempt, in ms; before each further one, twice as long. */
  backoffMs: z.int().positive().max(10_000).default(50),
  /** The largest share of requests that may be attempts after the first. */
  budget: z.number().min(0).max(1).default(0.2),
  /** So many in each second are allowed, whatever that share is. */
  perSecond: z.int().min(0).default(3),
});

/** Sends nothing to a server that fails. */
const breaker = z.strictObject({
  /** The breaker opens when more than this share of the answers within `windowMs` are failures. */
  failures: z.number().gt(0).lt(1).default(0.5),
  windowMs: z.int().min(100).default(10_000),
  /** As long as there are fewer answers than that, it stays closed. */
  minimum: z.int().positive().default(10),
  /** How long nothing is sent, in ms. */
  openMs: z.int().positive().default(5_000),
  /** How many requests must then be answered well before it closes. */
  probes: z.int().positive().max(100).default(3),
});

/** How long an upstream may take, in ms; what is left out is as `limits` says. */
const timeouts = z.strictObject({
  /** Until a connection is there; two seconds when left out. */
  connectMs: z.int().min(10).optional(),
  /** Until its answer begins, for each attempt; no more than `limits.requestMs` counts. */
  firstByteMs: z.int().min(10).optional(),
  /** Without another piece of an answer that has begun. */
  silenceMs: z.int().min(10).optional(),
});

const patterns = {
  timeouts: timeouts.optional(),
  retry: z.union([retry, z.literal(false)]).optional(),
  breaker: z.union([breaker, z.literal(false)]).optional(),
  /** As `limits.connections` and `limits.waiting`. */
  connections: z.int().positive().optional(),
  waiting: z.int().positive().optional(),
  /** Whether the owner answers a read instead of a side whose breaker is open; `owner` when left out. */
  fallback: z.enum(['owner', 'none']).optional(),
};

/** For all upstreams, and what is different for some: a pattern given there replaces the one for all. */
export const resilience = z.strictObject({
  ...patterns,
  upstreams: z.record(z.string(), z.strictObject(patterns)).default({}),
});

export type ResilienceConfig = z.output<typeof resilience>;
export type RetryConfig = z.output<typeof retry>;
export type BreakerConfig = z.output<typeof breaker>;
/** What guards one upstream. */
export type UpstreamPatterns = Omit<ResilienceConfig, 'upstreams'>;

/** What a configuration says of one upstream. */
export function patternsOf(
  given: ResilienceConfig | undefined,
  upstream: string,
): UpstreamPatterns {
  if (!given) return {};
  const { upstreams, ...forAll } = given;
  return { ...forAll, ...upstreams[upstream] };
}
