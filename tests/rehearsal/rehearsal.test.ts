import { describe, expect, it } from '@jest/globals';
import { createProgress, generateDataset, rehearse, replay } from '../../rehearsal/index.ts';
import type { RehearsalOptions, Report } from '../../rehearsal/index.ts';
import { showOnFailure } from '../support/index.ts';

function run(options: Partial<RehearsalOptions> & { orders: number }): Promise<Report> {
  const { orders, seed = 1, ...rest } = options;
  return rehearse({
    dataset: generateDataset(seed, { products: 25, customers: 12, orders }),
    concurrency: 8,
    seed,
    progress: createProgress(process.stderr),
    onStart: showOnFailure,
    ...rest,
  });
}

function broken({ invariants }: Report): string[] {
  return invariants.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);
}

describe('a rehearsal', () => {
  it('one order at a time, equals the same orders on paper, with Redis emptied on the way', async () => {
    const orders = 120;
    const dataset = generateDataset(4, { products: 25, customers: 12, orders });
    const report = await run({ orders, seed: 4, concurrency: 1, flushRedis: true });
    expect(report.examples).toEqual([]);
    expect(broken(report)).toEqual([]);
    const { confirmed, refused, charged, stock } = replay(dataset);
    expect(report).toMatchObject({
      orders: { sent: orders, confirmed, refused, failed: 0 },
      requests: { failed: 0, staleReads: 0 },
      charged,
      stock,
      mismatches: { inventory: 0, payment: 0 },
      converged: true,
    });
    expect(report.handovers.map((step) => `${step.capability} ${step.direction}`)).toEqual([
      'inventory forward',
      'payment forward',
      'inventory back',
      'payment back',
      'inventory forward',
      'payment forward',
    ]);
  }, 180_000);

  it('with sixteen clients, fails no request and loses nothing', async () => {
    const report = await run({ orders: 240, seed: 5, concurrency: 16 });
    expect(report.examples).toEqual([]);
    expect(broken(report)).toEqual([]);
    expect(report.requests).toMatchObject({ failed: 0, staleReads: 0 });
    expect(report.converged).toBe(true);
  }, 180_000);

  it('with processes killed on the way, fails only what needed them', async () => {
    const report = await run({ orders: 200, seed: 6, killSeed: 1 });
    expect(report.examples).toEqual([]);
    expect(broken(report)).toEqual([]);
    expect(report.expectedFailed.length).toBeGreaterThan(3);
    const explained = report.expectedFailed.reduce((sum, { requests }) => sum + requests, 0);
    expect(report.requests.failed).toBe(explained);
    expect(report.orders.failed).toBe(0);
    expect(report.converged).toBe(true);
  }, 240_000);
});
