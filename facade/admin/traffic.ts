import { BUCKETS } from '../counting/index.ts';
import type { Answerer } from '../counting/index.ts';

/** What was answered for one capability by one side since the process has started. */
export interface TrafficCount {
  /** Empty for requests that belong to no capability. */
  readonly capability: string;
  readonly side: Answerer;
  readonly requests: number;
  /** Answers with a status of 500 or above. */
  readonly errors: number;
  /** Answers by duration; the bounds are `BUCKETS`, and one more for what is above the last. */
  readonly buckets: readonly number[];
}

/** The same with rates: of the last seconds, and since the start. */
export interface Traffic {
  readonly capability: string;
  readonly side: Answerer;
  readonly requests: number;
  readonly errors: number;
  readonly perSecond: number;
  readonly errorsPerSecond: number;
  /** In ms, interpolated within a bucket of the histogram, as Prometheus does; null without answers. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** Counts of several processes as one. */
export function mergedTraffic(counts: readonly TrafficCount[]): readonly TrafficCount[] {
  const merged = new Map<string, TrafficCount>();
  for (const count of counts) {
    const known = merged.get(nameOf(count));
    merged.set(nameOf(count), known ? added(known, count, 1) : count);
  }
  return [...merged.values()];
}

/** Counts by which two readings differ; a process that began anew counts from 0. */
export function trafficSince(
  before: readonly TrafficCount[],
  now: readonly TrafficCount[],
): readonly TrafficCount[] {
  const earlier = new Map(before.map((count) => [nameOf(count), count]));
  return now.map((count) => {
    const known = earlier.get(nameOf(count));
    return known && known.requests <= count.requests ? added(count, known, -1) : count;
  });
}

/**
 * Rates of counts that took a while to come.
 * @param ms how long it took
 */
export function ratesOf(
  count: TrafficCount,
  ms: number,
): Pick<Traffic, 'perSecond' | 'errorsPerSecond' | 'p50Ms' | 'p99Ms'> {
  const seconds = Math.max(ms, 1) / 1_000;
  return {
    perSecond: rounded(count.requests / seconds),
    errorsPerSecond: rounded(count.errors / seconds),
    p50Ms: quantile(count.buckets, 0.5),
    p99Ms: quantile(count.buckets, 0.99),
  };
}

/**
 * A quantile of a histogram, in ms: linear within its bucket, as `histogram_quantile` of Prometheus; the
 * last bound for what lies above it, and null where nothing was counted.
 */
export function quantile(buckets: readonly number[], q: number): number | null {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const rank = q * total;
  let below = 0;
  for (const [index, count] of buckets.entries()) {
    const upper = BUCKETS[index];
    if (upper === undefined) break;
    if (count > 0 && below + count >= rank) {
      const lower = BUCKETS[index - 1] ?? 0;
      return rounded((lower + ((upper - lower) * (rank - below)) / count) * 1_000);
    }
    below += count;
  }
  return (BUCKETS.at(-1) ?? 0) * 1_000;
}

function nameOf({ capability, side }: Pick<TrafficCount, 'capability' | 'side'>): string {
  return `${capability} ${side}`;
}

function added(left: TrafficCount, right: TrafficCount, sign: 1 | -1): TrafficCount {
  return {
    ...left,
    requests: left.requests + sign * right.requests,
    errors: left.errors + sign * right.errors,
    buckets: left.buckets.map((count, index) => count + sign * (right.buckets[index] ?? 0)),
  };
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
