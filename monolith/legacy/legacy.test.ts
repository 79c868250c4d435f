import { describe, expect, it } from '@jest/globals';
import { assert, integer, maxSafeNat, property } from 'fast-check';
import { timestampToIso, toDecimal, toMinor, toTimestamp } from './index.ts';

describe('decimal money', () => {
  it('is written with two digits', () => {
    expect([0, 5, 99, 100, 123456].map(toDecimal)).toEqual([
      '0.00',
      '0.05',
      '0.99',
      '1.00',
      '1234.56',
    ]);
  });

  it('comes back as it went in', () => {
    assert(
      property(maxSafeNat(), (minor) => {
        expect(toMinor(toDecimal(minor))).toBe(minor);
      }),
    );
  });

  it.each(['1', '1.2', '1.234', '-1.00', '1,00', 'NaN', ''])('refuses %j', (text) => {
    expect(() => toMinor(text)).toThrow(RangeError);
  });

  it.each([-1, 1.5, Number.NaN])('does not write %d', (minor) => {
    expect(() => toDecimal(minor)).toThrow(RangeError);
  });
});

describe('timestamps', () => {
  it('keep the millisecond and sort as time does', () => {
    const moments = integer({ min: 0, max: 4_000_000_000_000 });
    assert(
      property(moments, moments, (left, right) => {
        expect(Date.parse(timestampToIso(toTimestamp(left)))).toBe(left);
        expect(toTimestamp(left) < toTimestamp(right)).toBe(left < right);
      }),
    );
  });
});
