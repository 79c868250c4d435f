import { describe, expect, it } from '@jest/globals';
import { asOperator } from '../../system/index.ts';
import { createProgress, flipFlags, generateDataset, rehearse } from '../../rehearsal/index.ts';
import type { HandedOver, Setting } from '../../rehearsal/index.ts';
import { showOnFailure } from '../support/index.ts';

interface Handovers {
  readonly handovers: readonly { readonly to: string; readonly outcome: string | null }[];
}

/** Where the handovers that were done have led, the last one first. */
async function directions({ system }: Setting): Promise<string[]> {
  const answer = await fetch(`${system.urls['engine']}/handovers`, { headers: asOperator(system) });
  const { handovers } = (await answer.json()) as Handovers;
  return handovers.filter(({ outcome }) => outcome === 'done').map(({ to }) => to);
}

describe('all six flags, flipped at random under orders', () => {
  it('fail no request and lose nothing', async () => {
    let ordered = false;
    const bothWays = async (setting: Setting): Promise<boolean> =>
      ordered && new Set(await directions(setting)).size === 2;
    const flip = flipFlags({ seed: 11, seconds: 200, enough: bothWays });
    let done: string[] = [];
    const report = await rehearse({
      dataset: generateDataset(11, {
        products: 30,
        customers: 20,
        orders: 20_000,
        abundance: 100,
      }),
      concurrency: 6,
      seed: 11,
      progress: createProgress(process.stderr),
      onStart: showOnFailure,
      drive: async (setting): Promise<HandedOver[]> => {
        const reached = setting.traffic.reached(0.015);
        void reached.then(() => (ordered = true)).catch(() => undefined);
        const reports = await flip(setting);
        done = await directions(setting);
        return reports;
      },
    });
    expect(report.examples).toEqual([]);
    expect(report.invariants.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.requests).toMatchObject({ failed: 0, staleReads: 0 });
    expect(report.orders.confirmed).toBeGreaterThan(100);
    expect(report.converged).toBe(true);
    // It must have moved ownership both ways, or it shows nothing.
    expect(new Set(done)).toEqual(new Set(['extracted', 'legacy']));
  }, 600_000);
});
