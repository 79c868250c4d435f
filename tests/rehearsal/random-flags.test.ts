import { describe, expect, it } from '@jest/globals';
import { createProgress, flipFlags, generateDataset, rehearse } from '../../rehearsal/index.ts';
import type { HandoverReport } from '../../rehearsal/index.ts';
import { showOnFailure } from '../support/index.ts';

interface Handovers {
  readonly handovers: readonly { readonly to: string; readonly outcome: string | null }[];
}

describe('all six flags, flipped at random for a minute under orders', () => {
  it('fail no request and lose nothing', async () => {
    const flip = flipFlags({ seed: 11, seconds: 60 });
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
      drive: async (setting): Promise<HandoverReport[]> => {
        const reports = await flip(setting);
        const answer = await fetch(`${setting.system.urls['engine']}/handovers`);
        const { handovers } = (await answer.json()) as Handovers;
        done = handovers.filter(({ outcome }) => outcome === 'done').map(({ to }) => to);
        return reports;
      },
    });
    expect(report.examples).toEqual([]);
    expect(report.invariants.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.requests).toMatchObject({ failed: 0, staleReads: 0 });
    expect(report.orders.confirmed).toBeGreaterThan(100);
    expect(report.converged).toBe(true);
    // The minute must have moved ownership both ways, or it shows nothing.
    expect(new Set(done)).toEqual(new Set(['extracted', 'legacy']));
  }, 240_000);
});
