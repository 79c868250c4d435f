import { describe, expect, it } from '@jest/globals';
import { inSoak } from '../support/index.ts';
import { runChaos } from './base/command.ts';
import { planHandovers } from './handover/plan.ts';

const RUNS = inSoak(2, 1);
/** Inventory out, payment out, and the first one back; in the soak all the way out again, too. */
const HANDOVERS = inSoak(6, 3);

describe('handovers in the middle of which something is killed', () => {
  it('lose no write that a client was told of, and repeat none', async () => {
    const { code, out, runs } = await runChaos('handover/main.ts', RUNS, [
      '--handovers',
      String(HANDOVERS),
    ]);
    expect({ code, out }).toEqual({ code: 0, out: `${RUNS} runs: nothing was lost\n` });
    expect(runs).toHaveLength(RUNS);
    for (const { facts } of runs) {
      expect(facts['handovers']).toBe(HANDOVERS);
      expect(facts['outages']).toBeGreaterThan(HANDOVERS / 2 - 1);
      expect(facts['writes']).toBeGreaterThan(100);
      const owners = [facts['inventory'], facts['payment']].map(String).sort();
      expect(owners).toEqual(['extracted', inSoak('extracted', 'legacy')]);
    }
  }, 900_000);

  it('are planned by the seed alone', () => {
    expect(planHandovers(5)).toEqual(planHandovers(5));
    expect(planHandovers(5)).not.toEqual(planHandovers(6));
  });
});
