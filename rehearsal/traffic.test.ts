import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../tests/support/index.ts';
import type { PlannedOrder } from './dataset.ts';
import { startTraffic } from './traffic.ts';

const orders: readonly PlannedOrder[] = ['1', '2', '3'].map((number) => ({
  number,
  customerId: 'A',
  orderedAt: '2026-01-01T00:00:00Z',
  items: [{ sku: 'X', quantity: 1 }],
  method: 'card_ok',
  cancel: false,
}));

function traffic(): { placed: PlannedOrder[]; on: ReturnType<typeof startTraffic> } {
  const placed: PlannedOrder[] = [];
  const order = async (planned: PlannedOrder): Promise<void> => {
    placed.push(planned);
    await delay(1);
  };
  return { placed, on: startTraffic(orders, { order }, { concurrency: 1 }) };
}

describe('traffic', () => {
  it('ends when all orders are placed', async () => {
    const { placed, on } = traffic();
    await on.done;
    expect(placed).toEqual(orders);
  });

  it('begins again, under new numbers and without using up the stock, until it may end', async () => {
    const { placed, on } = traffic();
    on.allow(0.5);
    await eventually(() => placed.length > 4);
    on.allow(1);
    await on.done;
    expect(placed.slice(0, 3)).toEqual(orders);
    expect(placed.slice(3, 5)).toMatchObject([
      { number: '1-2', items: orders[0]?.items, cancel: true },
      { number: '2-2', cancel: true },
    ]);
    expect(new Set(placed.map(({ number }) => number)).size).toBe(placed.length);
  });
});
