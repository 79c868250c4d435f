import { describe, expect, it } from '@jest/globals';
import { RetryBudget } from './retry-budget.ts';

const options = { share: 0.2, perSecond: 3 };

/** So many requests that all fail, and all want one more attempt, spread over so many ms. */
function retriesOf(budget: RetryBudget, count: number, from: number, ms: number): number {
  let retries = 0;
  for (let n = 0; n < count; n += 1) {
    const now = from + (n * ms) / count;
    budget.requested(now);
    if (budget.take(now)) retries += 1;
  }
  return retries;
}

describe('a budget of retries', () => {
  it('is a fifth of all requests, however many fail', () => {
    for (const count of [100, 1_000, 10_000]) {
      expect(retriesOf(new RetryBudget(options), count, 0, 900)).toBe(count / 5);
    }
    const taken = retriesOf(new RetryBudget(options), 60_000, 0, 60_000);
    expect(taken).toBeLessThanOrEqual(60_000 / 5);
    expect(taken).toBeGreaterThan(60_000 / 6);
  });

  it('is three a second where that is more', () => {
    const budget = new RetryBudget(options);
    expect(retriesOf(budget, 5, 1_000, 900)).toBe(3);
    expect(retriesOf(budget, 5, 2_000, 900)).toBe(3);
    expect([1, 2, 3, 4].map(() => budget.take(500_000))).toEqual([true, true, true, false]);
  });

  it('counts the last ten seconds alone', () => {
    const budget = new RetryBudget({ share: 0.2, perSecond: 0 });
    for (let n = 0; n < 100; n += 1) budget.requested(1_500);
    expect(budget.take(2_000)).toBe(true);
    expect(Array.from({ length: 30 }, () => budget.take(10_900)).filter(Boolean)).toHaveLength(19);
    expect(budget.take(11_000)).toBe(false);
    for (let n = 0; n < 10; n += 1) budget.requested(30_000);
    expect([1, 2, 3].map(() => budget.take(30_000))).toEqual([true, true, false]);
  });

  it('of nothing allows nothing', () => {
    expect(retriesOf(new RetryBudget({ share: 0, perSecond: 0 }), 100, 0, 500)).toBe(0);
  });
});
