import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { medianInterval } from './interval.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('an interval for a median', () => {
  // The places are those of the tables for the sign test at 95 %.
  test.each([
    { count: 6, low: 1, high: 6, confidence: 0.969 },
    { count: 7, low: 1, high: 7, confidence: 0.984 },
    { count: 9, low: 2, high: 8, confidence: 0.961 },
    { count: 15, low: 4, high: 12, confidence: 0.965 },
    { count: 20, low: 6, high: 15, confidence: 0.959 },
    { count: 25, low: 8, high: 18, confidence: 0.957 },
  ])(
    'of $count values reaches from the $low. to the $high.',
    ({ count, low, high, confidence }) => {
      const interval = medianInterval(upTo(count).toReversed());
      expect(interval).toMatchObject({ low, high });
      expect(interval.confidence).toBeCloseTo(confidence, 3);
    },
  );

  test('of too few values is all of them, and says how little that is worth', () => {
    expect(medianInterval([3, 1, 2])).toEqual({ low: 1, high: 3, confidence: 0.75 });
    expect(medianInterval([7])).toEqual({ low: 7, high: 7, confidence: 0 });
  });

  test('holds the true median as often as it says', () => {
    // A skewed distribution, drawn from by a fixed generator: x = u^3 with the median 0.125.
    let state = 42;
    const next = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return (state / 2 ** 32) ** 3;
    };
    const trials = 20_000;
    let held = 0;
    for (let trial = 0; trial < trials; trial += 1) {
      const { low, high } = medianInterval(Array.from({ length: 9 }, next));
      if (low <= 0.125 && 0.125 <= high) held += 1;
    }
    expect(held / trials).toBeCloseTo(0.961, 2);
  });

  test('lies within the values, around their middle', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 60 }),
        (values) => {
          const { low, high } = medianInterval(values);
          const sorted = values.toSorted((a, b) => a - b);
          const middle = sorted[Math.floor((values.length - 1) / 2)] as number;
          expect(values).toContain(low);
          expect(values).toContain(high);
          expect(low <= middle && middle <= high).toBe(true);
        },
      ),
    );
  });

  test('of nothing is refused', () => {
    expect(() => medianInterval([])).toThrow(RangeError);
  });
});
