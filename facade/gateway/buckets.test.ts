import { describe, expect, it } from '@jest/globals';
import { Buckets } from './buckets.ts';

describe('the buckets of a limit', () => {
  it('last for a window from the first request on', () => {
    const buckets = new Buckets('all:1', 1_000);
    const bucket = buckets.of('A', 500);
    bucket.used = 3;
    expect(bucket).toMatchObject({ key: 'all:1:A', endsAt: 1_500 });
    expect(buckets.of('A', 1_499)).toBe(bucket);
    expect(buckets.of('B', 1_499)).not.toBe(bucket);
    expect(buckets.of('A', 1_500)).toMatchObject({ used: 0, endsAt: 2_500 });
  });

  it('never pile up: as many are dropped as come, and those under way stay', () => {
    const buckets = new Buckets('all:1', 1_000);
    const kept = (now: number, count: number, name: string): number => {
      const before = Array.from({ length: count }, (_unused, n) => buckets.of(`${name}${n}`, now));
      const after = before.map(({ key }) => buckets.of(key.slice('all:1:'.length), now));
      return before.filter((bucket, n) => bucket === after[n]).length;
    };
    expect(kept(0, 1_000, 'early')).toBe(1_000);
    expect(kept(2_000, 600, 'late')).toBe(600);
    expect(buckets.size).toBe(600);
  });
});
