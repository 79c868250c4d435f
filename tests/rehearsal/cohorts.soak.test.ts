import { describe, expect, it } from '@jest/globals';
import { openDatabase } from '../../chassis/index.ts';
import { createProgress, generateDataset, rehearse } from '../../rehearsal/index.ts';
import type { Operator, Traffic } from '../../rehearsal/index.ts';
import type { System } from '../../system/index.ts';
import { eventually, showOnFailure } from '../support/index.ts';

const dataset = generateDataset(7, { products: 25, customers: 12, orders: 300, abundance: 20 });
const [first, ...friends] = dataset.customers.slice(0, 3).map(({ id }) => id) as [
  string,
  string,
  string,
];
const moved = [first, ...friends];

/** Who owns whose payments, by what both databases say: `key` -> the side that is open. */
async function owners({ env }: System): Promise<Record<string, string[]>> {
  const open: Record<string, string[]> = {};
  for (const [side, variable] of [
    ['legacy', 'MONOLITH_DATABASE_URL'],
    ['extracted', 'PAYMENT_DATABASE_URL'],
  ] as const) {
    const database = await openDatabase(env[variable] ?? '');
    const fences = database.read('fig_fence').where({ capability: 'payment' });
    for (const { key, state } of (await fences) as { key: string; state: string }[]) {
      if (state === 'open') (open[key] ??= []).push(side);
    }
    await database.close();
  }
  return open;
}

/** Waits until somebody who moved and somebody who did not have each had an order confirmed anew. */
async function ordersOfBoth(facadeUrl: string): Promise<void> {
  const confirmed = async (customers: readonly string[]): Promise<number> => {
    const counts = customers.map(async (customer) => {
      const answer = await fetch(`${facadeUrl}/api/orders?customerId=${customer}&limit=200`);
      const { items } = (await answer.json()) as { items: { status: string }[] };
      return items.filter(({ status }) => status === 'confirmed').length;
    });
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  };
  const others = dataset.customers.map(({ id }) => id).filter((id) => !moved.includes(id));
  const before = [await confirmed(moved), await confirmed(others)] as const;
  await eventually(async () => {
    expect(await confirmed(moved)).toBeGreaterThan(before[0]);
    expect(await confirmed(others)).toBeGreaterThan(before[1]);
  });
}

interface Way {
  readonly system: System;
  readonly operator: Operator;
  readonly traffic: Traffic;
}

async function leadThem({ system, operator, traffic }: Way): Promise<void> {
  const fig = async (...words: string[]): Promise<void> => {
    expect({ words, ...(await operator(...words)) }).toMatchObject({ words, code: 0 });
  };
  const facade = system.urls['facade'] ?? '';
  // From here on orders trickle: whatever is done meets live ones, and some are left at the end.
  traffic.allow(0.1);
  for (const capability of ['inventory', 'payment']) await fig('backfill', capability);
  await fig('ramp', 'payment', '50');
  await fig('reconcile', 'payment');
  await fig('switch', 'payment', '--customers', moved.join());
  const theirs = Object.fromEntries(moved.map((key) => [key, ['extracted']]));
  expect(await owners(system)).toEqual({ '*': ['legacy'], ...theirs });
  await ordersOfBoth(facade);
  await fig('reconcile', 'payment');
  await fig('switch', 'payment');
  expect(await owners(system)).toEqual({ '*': ['extracted'] });
  await ordersOfBoth(facade);
  await fig('reconcile', 'payment');
  await fig('reverse', 'payment', '--customers', first);
  expect(await owners(system)).toMatchObject({ '*': ['extracted'], [first]: ['legacy'] });
  await ordersOfBoth(facade);
  await fig('reconcile', 'payment');
  await fig('reverse', 'payment');
  expect(await owners(system)).toEqual({ '*': ['legacy'] });
  traffic.allow(1);
}

describe('three customers who move ahead, then the rest, then one back and all, under orders', () => {
  it('fail no request, lose nothing, and are charged once', async () => {
    const report = await rehearse({
      dataset,
      concurrency: 8,
      seed: 7,
      progress: createProgress(process.stderr),
      onStart: showOnFailure,
      drive: async (setting) => {
        await leadThem(setting);
        return [];
      },
    });
    expect(report.examples).toEqual([]);
    expect(report.invariants.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.requests).toMatchObject({ failed: 0, staleReads: 0 });
    expect(report.orders.failed).toBe(0);
    expect(report.orders.sent).toBeGreaterThanOrEqual(dataset.orders.length);
    expect(report.mismatches).toEqual({ inventory: 0, payment: 0 });
  }, 600_000);
});
