import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
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
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (minor) => {
        // The largest amounts have more digits than the text's pattern allows.
        fc.pre(minor < 1e15);
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
    const moments = fc.integer({ min: 0, max: 4_000_000_000_000 });
    fc.assert(
      fc.property(moments, moments, (left, right) => {
        expect(Date.parse(timestampToIso(toTimestamp(left)))).toBe(left);
        expect(toTimestamp(left) < toTimestamp(right)).toBe(left < right);
      }),
    );
  });
});
