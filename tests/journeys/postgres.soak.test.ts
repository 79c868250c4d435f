import { describe, expect, it } from '@jest/globals';
import { createProgress, generateDataset, migration, rehearse } from '../../rehearsal/index.ts';
import type { Stage } from '../../rehearsal/index.ts';
import { showOnFailure } from '../support/index.ts';

const capability = 'inventory';
const ORDERS = 120;

const OUT: readonly Stage[] = [
  { at: 0.05, verb: 'backfill', capability },
  { at: 0.1, verb: 'flag', capability, flag: 'reads', share: 100 },
  { at: 0.2, verb: 'reconcile', capability },
  { at: 0.3, verb: 'switch', capability },
];
const BACK: readonly Stage[] = [
  { at: 0.6, verb: 'reconcile', capability },
  { at: 0.7, verb: 'reverse', capability },
];
/** The verdict compares both capabilities. */
const BOTH_COPIED: readonly Stage[] = [{ at: 0.8, verb: 'backfill', capability: 'payment' }];

describe('a system whose monolith and services keep their data in PostgreSQL', () => {
  it('hands inventory over under orders, and loses nothing', async () => {
    const report = await rehearse({
      dataset: generateDataset(3, { products: 20, customers: 10, orders: ORDERS, abundance: 100 }),
      concurrency: 4,
      seed: 3,
      postgres: true,
      drive: migration([...OUT, ...BACK, ...BOTH_COPIED]),
      progress: createProgress(process.stderr),
      onStart: showOnFailure,
    });
    expect(report.examples).toEqual([]);
    expect(report.invariants.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.requests).toMatchObject({ failed: 0, staleReads: 0 });
    expect(report.orders.confirmed).toBeGreaterThan(ORDERS * 0.8);
    expect(report.converged).toBe(true);
    expect(report.handovers.map(({ direction }) => direction)).toEqual(['forward', 'back']);
  }, 600_000);
});
