import { mergedTraffic, ratesOf, trafficSince } from './traffic.ts';
import type { Traffic, TrafficCount } from './traffic.ts';

/** How far back a page can look. */
const KEPT_MS = 15 * 60_000;
/** Of a shorter step, a rate says nothing. */
const LEAST_MS = 500;
/** Over how long a rate is taken that is shown as the present one. */
const PRESENT_MS = 10_000;

/** What happened within one step: rates by capability and side. */
export interface TrafficSample {
  /** When the step ended, in ms since 1970. */
  readonly at: number;
  /** [capability, side, requests/s, errors/s, p50 in ms, p99 in ms], without sides that answered nothing. */
  readonly rates: readonly (readonly [
    capability: string,
    side: Traffic['side'],
    perSecond: number,
    errorsPerSecond: number,
    p50Ms: number | null,
    p99Ms: number | null,
  ])[];
  /** [capability, changes, ms] that the follower is behind, where the engine was asked. */
  readonly lag: readonly (readonly [capability: string, changes: number, ms: number])[];
}

interface Reading {
  readonly at: number;
  readonly counts: readonly TrafficCount[];
}

/** The last fifteen minutes, and the present rates. */
export class TrafficHistory {
  readonly #samples: TrafficSample[] = [];
  /** Of the last ten seconds, the oldest first. */
  readonly #readings: Reading[] = [];

  /**
   * Adds a reading.
   * @param at ms since 1970
   * @returns what happened since the one before; undefined for the first, and for one too soon
   */
  add(
    at: number,
    given: readonly TrafficCount[],
    lag: TrafficSample['lag'],
  ): TrafficSample | undefined {
    const counts = mergedTraffic(given);
    const before = this.#readings.at(-1);
    if (before && at - before.at < LEAST_MS) return undefined;
    this.#readings.push({ at, counts });
    // One that is ten seconds old stays: rates are taken since then.
    while ((this.#readings[1]?.at ?? Infinity) <= at - PRESENT_MS) this.#readings.shift();
    if (!before) return undefined;
    const sample: TrafficSample = {
      at,
      rates: trafficSince(before.counts, counts)
        .filter(({ requests }) => requests > 0)
        .map((count) => {
          const { perSecond, errorsPerSecond, p50Ms, p99Ms } = ratesOf(count, at - before.at);
          return [count.capability, count.side, perSecond, errorsPerSecond, p50Ms, p99Ms];
        }),
      lag,
    };
    this.#samples.push(sample);
    while ((this.#samples[0]?.at ?? Infinity) < at - KEPT_MS) this.#samples.shift();
    return sample;
  }

  get samples(): readonly TrafficSample[] {
    return this.#samples;
  }

  /**
   * What is answered at present: totals since the start, and rates of the last ten seconds.
   * @param at ms since 1970
   * @param given what was counted until then
   */
  present(at: number, given: readonly TrafficCount[]): readonly Traffic[] {
    const counts = mergedTraffic(given);
    const [first = { at, counts }] = this.#readings;
    const recent = trafficSince(first.counts, counts);
    return counts.map(({ capability, side, requests, errors }, index) => {
      const since = recent[index] as TrafficCount;
      return { capability, side, requests, errors, ...ratesOf(since, at - first.at) };
    });
  }
}
