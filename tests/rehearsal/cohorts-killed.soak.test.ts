import { describe, expect, it } from '@jest/globals';
import { createProgress, generateDataset, persevere, rehearse } from '../../rehearsal/index.ts';
import { showOnFailure } from '../support/index.ts';

const dataset = generateDataset(7, { products: 25, customers: 12, orders: 300, abundance: 20 });
const moved = dataset.customers.slice(0, 3).map(({ id }) => id);
const first = moved[0] ?? '';

describe('three customers who move ahead, then the rest, then one back and all, under orders', () => {
  it('lose nothing either where processes are killed on the way', async () => {
    const steps = [
      ['backfill', 'inventory'],
      ['backfill', 'payment'],
      ['reconcile', 'payment'],
      ['switch', 'payment', '--customers', moved.join()],
      ['reconcile', 'payment'],
      ['switch', 'payment'],
      ['reconcile', 'payment'],
      ['reverse', 'payment', '--customers', first],
      ['reconcile', 'payment'],
      ['reverse', 'payment'],
      ['switch', 'payment', '--share', '30'],
    ] as const;
    const report = await rehearse({
      dataset,
      concurrency: 8,
      seed: 7,
      killSeed: 3,
      progress: createProgress(process.stderr),
      onStart: showOnFailure,
      drive: async ({ operator, traffic, enter }) => {
        traffic.allow(0.1);
        for (const [index, words] of steps.entries()) {
          enter(words.join(' '), index);
          await persevere(operator, words[1], words);
        }
        traffic.allow(1);
        return [];
      },
    });
    expect(report.examples).toEqual([]);
    expect(report.invariants.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.expectedFailed.length).toBeGreaterThan(3);
    expect(report.orders.failed).toBe(0);
    expect(report.orders.sent).toBeGreaterThanOrEqual(dataset.orders.length);
    expect(report.mismatches).toEqual({ inventory: 0, payment: 0 });
  }, 600_000);
});
