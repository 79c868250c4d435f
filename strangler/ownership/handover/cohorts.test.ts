import { describe, expect, it } from '@jest/globals';
import { inSoak } from '../../../tests/support/index.ts';
import { REST } from '../fence-rows.ts';
import { exploreCohorts, rightCohorts } from '../../../tests/model/cohorts.ts';
import type { CohortRules } from '../../../tests/model/cohorts.ts';

/**
 * A key that may move by itself and another that has no fence of its own, writers of both at either
 * side, an applier each way, and an engine that moves the key, or everything, to and fro, and forgets
 * what it was about between any two of its transactions.
 */
describe('every way in which a key moves ahead of the rest, and back', () => {
  it.each([
    [{ writesLeft: 3, handoversLeft: 2 }, 24_653] as const,
    ...inSoak([[{ writesLeft: 2, handoversLeft: 3 }, 32_873] as const], []),
  ])('keeps one owner of each key with all acknowledged writes: %j, %i states', (limits, count) => {
    const { counterexample, states } = exploreCohorts(rightCohorts, limits);
    expect(counterexample).toBeUndefined();
    expect(states).toBe(count);
  });

  it.each<[string, Partial<CohortRules>, RegExp]>([
    [
      'moves the rest alone, where everything is meant',
      { moved: (keys) => keys ?? [REST] },
      /stuck/,
    ],
    ['opens the rest alone', { opened: (keys) => keys ?? [REST] }, /stuck|two owners/],
    ['opens everything for one key', { opened: () => null }, /two owners of B/],
    ['gives the key no fence of its own', { splits: false }, /stuck/],
    [
      'reads the position before the close',
      { recordsBehindFence: false },
      /without an acknowledged/,
    ],
    [
      'forgets the fence of a key that is still apart',
      { merges: (rows) => rows.find(({ key }) => key === REST) ?? null },
      /A/,
    ],
    [
      'counts the epochs of the rest alone',
      { epochAfter: ({ rest }) => rest.epoch + 1 },
      /stuck|without|two owners/,
    ],
  ])('finds the bug of one that %s', (_, change, rule) => {
    const limits = { writesLeft: 1, handoversLeft: 3 };
    const { counterexample } = exploreCohorts({ ...rightCohorts, ...change }, limits);
    expect(counterexample?.rule).toMatch(rule);
  });
});
