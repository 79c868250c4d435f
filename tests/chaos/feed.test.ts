import { describe, expect, it } from '@jest/globals';
import { inSoak } from '../support/index.ts';
import { runChaos } from './base/command.ts';
import { expectMuchDone } from './feed/much-done.ts';

/** In `npm test` a short run's: it kills engine and monolith, pauses the engine, and empties Redis. */
const SEED = inSoak('1', '29');

describe('a system that is killed, paused and robbed of its Redis', () => {
  it('loses no change, whichever way its feeds run', async () => {
    const { code, out, runs } = await runChaos('feed/main.ts', 1, ['--seed', SEED]);
    expect({ code, out }).toEqual({ code: 0, out: '1 runs: nothing was lost\n' });
    expect(runs).toHaveLength(1);
    for (const { facts } of runs) expectMuchDone(facts);
    const owners = runs.flatMap(({ facts }) => [facts['inventory'], facts['payment']]);
    expect(['legacy', 'extracted']).toEqual(expect.arrayContaining(owners));
    // One has moved and the other has not, or has come back.
    expect(new Set(owners).size).toBe(2);
  }, 900_000);
});
