import { describe, expect, it } from '@jest/globals';
import { backoff, jittered } from './backoff.ts';

describe('a wait after failures', () => {
  it('doubles up to the longest', () => {
    const waits = [1, 2, 3, 4, 100, 10_000].map((failures) =>
      backoff(failures, { firstMs: 20, longestMs: 100 }),
    );
    expect(waits).toEqual([20, 40, 80, 100, 100, 100]);
  });

  it('is half as long at least, with jitter', () => {
    const waits = Array.from({ length: 100 }, () => jittered(100));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...waits)).toBeLessThanOrEqual(100);
    expect(new Set(waits).size).toBeGreaterThan(1);
  });
});
