import { describe, expect, it } from '@jest/globals';
import { inSoak } from '../support/index.ts';
import { runChaos } from './base/command.ts';
import { planHandovers } from './handover/plan.ts';

/** Inventory out and payment out; in the soak back, too, and out again. */
const HANDOVERS = inSoak(6, 2);
/** In `npm test` it kills the monolith; in the soak engine and facade, too, pauses, and empties Redis. */
const SEED = inSoak('129', '1');

describe('handovers in the middle of which something is killed', () => {
  it('lose no write that a client was told of, and repeat none', async () => {
    const { code, out, runs } = await runChaos('handover/main.ts', 1, [
      '--handovers',
      String(HANDOVERS),
      '--seed',
      SEED,
    ]);
    expect({ code, out }).toEqual({ code: 0, out: '1 runs: nothing was lost\n' });
    expect(runs).toHaveLength(1);
    for (const { facts } of runs) {
      expect(facts['handovers']).toBe(HANDOVERS);
      expect(facts['outages']).toBeGreaterThan(HANDOVERS / 2 - 1);
      expect(facts['writes']).toBeGreaterThan(100);
      const owners = [facts['inventory'], facts['payment']].map(String).sort();
      expect(owners).toEqual(['extracted', 'extracted']);
    }
  }, 900_000);

  it('are planned by the seed alone', () => {
    expect(planHandovers(5)).toEqual(planHandovers(5));
    expect(planHandovers(5)).not.toEqual(planHandovers(6));
  });
});
