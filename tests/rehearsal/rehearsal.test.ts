import { describe, expect, it } from '@jest/globals';
import { generateDataset, migration, orderAt, replay } from '../../rehearsal/index.ts';
import type { Stage } from '../../rehearsal/index.ts';
import { inSoak } from '../support/index.ts';
import { broken, run } from './run.ts';

const ORDERS = inSoak(120, 40);

/** Inventory out and back; the whole migration in the soak. */
const SHORT: readonly Stage[] = [
  { at: 0.1, verb: 'backfill', capability: 'inventory' },
  { at: 0.2, verb: 'flag', capability: 'inventory', flag: 'reads', share: 100 },
  { at: 0.3, verb: 'reconcile', capability: 'inventory' },
  { at: 0.4, verb: 'switch', capability: 'inventory' },
  { at: 0.6, verb: 'reconcile', capability: 'inventory' },
  { at: 0.7, verb: 'reverse', capability: 'inventory' },
  { at: 0.8, verb: 'backfill', capability: 'payment' },
];
const BACK_AND_OUT = ['inventory back', 'payment back', 'inventory forward', 'payment forward'];

describe('a rehearsal', () => {
  it('one order at a time, equals the same orders on paper, with Redis emptied on the way', async () => {
    const dataset = generateDataset(4, { products: 25, customers: 12, orders: ORDERS });
    const report = await run({
      orders: ORDERS,
      seed: 4,
      concurrency: 1,
      flushRedis: true,
      // The soak has one more with callers who are known.
      ...inSoak({}, { drive: migration(SHORT), auth: true }),
    });
    expect(report.examples).toEqual([]);
    expect(broken(report)).toEqual([]);
    // They begin again where the handovers outlast them.
    const { sent } = report.orders;
    expect(sent).toBeGreaterThanOrEqual(ORDERS);
    const placed = Array.from({ length: sent }, (_, index) => orderAt(dataset.orders, index));
    const { confirmed, refused, charged, stock } = replay({
      ...dataset,
      orders: placed.filter((order) => order !== undefined),
    });
    expect(report).toMatchObject({
      orders: { confirmed, refused, failed: 0 },
      requests: { failed: 0, staleReads: 0 },
      charged,
      stock,
      mismatches: { inventory: 0, payment: 0 },
      converged: true,
    });
    expect(report.handovers.map(({ liveWrites }) => liveWrites > 0)).not.toContain(false);
    expect(report.handovers.map((step) => `${step.capability} ${step.direction}`)).toEqual(
      inSoak(
        ['inventory forward', 'payment forward', ...BACK_AND_OUT],
        ['inventory forward', 'inventory back'],
      ),
    );
  }, 300_000);
});
