import { beforeAll, describe, expect, it } from '@jest/globals';
import { inSoak } from '../../support/index.ts';
import { tableOf } from './answer-table.ts';
import { runCases } from './outcomes.ts';
import type { Outcome } from './outcomes.ts';

/** Every so many answers one is sent, the first of them among them; a factor of none of its lists. */
const STRIDE = inSoak(1, 59);
const TRAILER = ', trailer X-Sum: 7';

describe('an answer of each status, to each method, with each framing', () => {
  let outcomes: readonly Outcome[] = [];

  beforeAll(async () => {
    outcomes = await runCases(tableOf().filter((_each, index) => index % STRIDE === 0));
  }, 300_000);

  it('ends where it ends, and the next one begins there', () => {
    const seen = outcomes.map(({ each, ours }) => `${each.name}: ${ours}`);
    expect(seen).toEqual(outcomes.map(({ each }) => `${each.name}: ${each.ours}`));
    expect(seen.length).toBeGreaterThan(1_000 / STRIDE);
  });

  it('is what nginx makes of it, but for trailers, which it drops, and a 204 with a length', () => {
    const compared = outcomes.filter(
      ({ each, nginx }) => nginx !== undefined && !each.name.includes(', 204, '),
    );
    expect(compared.map(({ each, nginx }) => `${each.name}: ${nginx}`)).toEqual(
      compared.map(({ each, ours }) => `${each.name}: ${ours.replace(TRAILER, '')}`),
    );
  });
});
