import { expect, it } from '@jest/globals';
import { duration } from './index.ts';

it.each([
  [0, '0 ms'],
  [1.26, '1.3 ms'],
  [10.4, '10 ms'],
  [1_000, '1.0 s'],
  [59_900, '59.9 s'],
  [60_000, '1 min'],
  [3_600_000, '1 h'],
  [47 * 3_600_000, '47 h'],
  [48 * 3_600_000, '2 days'],
])('writes %d ms as %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});
