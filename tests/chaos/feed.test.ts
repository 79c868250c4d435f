import { describe, expect, it } from '@jest/globals';
import { inSoak } from '../support/index.ts';
import { runChaos } from './base/command.ts';
import { expectMuchDone } from './feed/much-done.ts';

const RUNS = inSoak(2, 1);

describe('a system that is killed, paused and robbed of its Redis', () => {
  it('loses no change, whichever way its feeds run', async () => {
    const { code, out, runs } = await runChaos('feed/main.ts', RUNS);
    expect({ code, out }).toEqual({ code: 0, out: `${RUNS} runs: nothing was lost\n` });
    expect(runs).toHaveLength(RUNS);
    for (const { facts } of runs) expectMuchDone(facts);
    const owners = runs.flatMap(({ facts }) => [facts['inventory'], facts['payment']]);
    expect(['legacy', 'extracted']).toEqual(expect.arrayContaining(owners));
    // A single run may end with both on one side.
    expect(new Set(owners).size).toBeGreaterThanOrEqual(inSoak(2, 1));
  }, 900_000);
});
