import { describe, expect, it } from '@jest/globals';
import type { System } from '../../system/index.ts';
import { eventually, request } from '../support/index.ts';

interface Order {
  readonly id: string;
  readonly status: string;
}
interface Product {
  readonly sku: string;
}
interface Charge {
  readonly reference: string;
}

/** On a system that has charged nobody yet. */
export function identicalOrders(started: () => System): void {
  describe('100 parallel orders with one key', () => {
    it('are one order, one charge and one reservation', async () => {
      const system = started();
      const { urls } = system;
      const products = await request<{ items: Product[] }>('GET', `${urls['facade']}/api/products`);
      const sku = products.body.items[0]?.sku;
      const before = await request<{ onHand: number }>(
        'GET',
        `${urls['facade']}/api/inventory/${sku}`,
      );
      // One of the sample's customers.
      const customerId = 'ARENDAL';
      const order = () =>
        request<Order & { code?: string }>('POST', `${urls['facade']}/api/orders`, {
          headers: { 'idempotency-key': 'the-only-one', 'x-customer-id': customerId },
          body: { customerId, items: [{ sku, quantity: 2 }], paymentMethod: 'card_ok' },
          timeoutMs: 20_000,
        });
      const answers: Awaited<ReturnType<typeof order>>[] = [];
      // No order is confirmed without its card processor: whoever is answered while that is asleep has
      // met the one request that is under way.
      system.pause('provider');
      const asked = Array.from({ length: 100 }, async () => answers.push(await order()));
      await eventually(() => expect(answers).toHaveLength(99));
      expect(answers.map(({ status, body }) => `${status} ${body.code}`)).toEqual(
        answers.map(() => '409 request_in_flight'),
      );
      system.resume('provider');
      await Promise.all(asked);
      const last = await order();
      const confirmed = [answers[99], last];
      expect(confirmed.map((answer) => answer?.status)).toEqual([201, 201]);
      expect(answers[99]?.body.id).toBe(last.body.id);
      expect(last.body.status).toBe('confirmed');
      const stored = await request<{ items: Order[] }>(
        'GET',
        `${urls['facade']}/api/orders?customerId=${customerId}`,
      );
      expect(stored.body.items.map(({ id }) => id)).toEqual([last.body.id]);
      const ledger = await request<{ charges: Charge[] }>('GET', `${urls['provider']}/ledger`);
      expect(ledger.body.charges.map(({ reference }) => reference)).toEqual([last.body.id]);
      const after = await request<{ onHand: number; reserved: number }>(
        'GET',
        `${urls['facade']}/api/inventory/${sku}`,
        { headers: { 'x-customer-id': customerId } },
      );
      expect(after.body).toMatchObject({ onHand: before.body.onHand - 2, reserved: 0 });
    }, 120_000);
  });
}
