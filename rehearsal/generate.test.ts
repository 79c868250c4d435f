import { describe, expect, it } from '@jest/globals';
import { generateDataset } from './generate.ts';
import { replay } from './replay.ts';

describe('generated orders', () => {
  it('are the same for the same seed and others for another', () => {
    expect(generateDataset(7)).toEqual(generateDataset(7));
    expect(generateDataset(7)).not.toEqual(generateDataset(8));
  });

  it('hold declines, time-outs and cancels, and some that stock can not fill', () => {
    const dataset = generateDataset(1);
    const methods = new Set(dataset.orders.map(({ method }) => method));
    expect([...methods].sort()).toEqual(['card_declined', 'card_ok', 'card_slow', 'card_timeout']);
    expect(dataset.orders.some(({ cancel }) => cancel)).toBe(true);
    const declined = dataset.orders.filter(({ method }) => method === 'card_declined').length;
    expect(replay(dataset).refused).toBeGreaterThan(declined);
  });

  it('name a product once an order', () => {
    for (const { items } of generateDataset(3).orders) {
      expect(new Set(items.map(({ sku }) => sku)).size).toBe(items.length);
    }
  });
});

describe('replaying on paper', () => {
  const product = { sku: 'A', name: 'A', unitPrice: 250, currency: 'USD', onHand: 5 };
  const planned = {
    customerId: 'C',
    orderedAt: '2026-01-01T00:00:00.000Z',
    method: 'card_ok',
    cancel: false,
  } as const;

  it('fills all lines of an order or none, and takes no stock for a declined card', () => {
    const result = replay({
      products: [product, { ...product, sku: 'B', onHand: 1 }],
      customers: [],
      orders: [
        { ...planned, number: '1', items: [{ sku: 'A', quantity: 2 }] },
        {
          ...planned,
          number: '2',
          items: [
            { sku: 'A', quantity: 1 },
            { sku: 'B', quantity: 2 },
          ],
        },
        { ...planned, number: '3', items: [{ sku: 'B', quantity: 1 }], method: 'card_declined' },
        { ...planned, number: '4', items: [{ sku: 'B', quantity: 1 }], cancel: true },
      ],
    });
    expect(result).toEqual({
      confirmed: 2,
      refused: 2,
      charged: { USD: 500 },
      stock: { A: 3, B: 1 },
    });
  });
});
