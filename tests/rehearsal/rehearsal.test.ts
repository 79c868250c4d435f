import { describe, expect, it } from '@jest/globals';
import { generateDataset, orderAt, replay } from '../../rehearsal/index.ts';
import { broken, run } from './run.ts';

describe('a rehearsal', () => {
  it('one order at a time, equals the same orders on paper, with Redis emptied on the way', async () => {
    const orders = 120;
    const dataset = generateDataset(4, { products: 25, customers: 12, orders });
    const report = await run({ orders, seed: 4, concurrency: 1, flushRedis: true });
    expect(report.examples).toEqual([]);
    expect(broken(report)).toEqual([]);
    // They begin again where the handovers outlast them.
    const { sent } = report.orders;
    expect(sent).toBeGreaterThanOrEqual(orders);
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
    expect(report.handovers.map((step) => `${step.capability} ${step.direction}`)).toEqual([
      'inventory forward',
      'payment forward',
      'inventory back',
      'payment back',
      'inventory forward',
      'payment forward',
    ]);
  }, 300_000);
});
