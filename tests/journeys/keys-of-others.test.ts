import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openShop } from '../support/shop.ts';
import type { Shop } from '../support/shop.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

const STEPS = ['reserve', 'charge', 'commit', 'release', 'refund'];

function place(customer: string, key: string, quantity = 1) {
  const body = { customerId: 'ALICE', items: [{ sku: 'A', quantity }], paymentMethod: 'card_ok' };
  return shop.post('/api/orders', body, { 'idempotency-key': key, 'x-customer-id': customer });
}

describe('an idempotency key', () => {
  it("of a client is never one of the system's: no client keeps an order from being cancelled", async () => {
    const { body: order } = await place('ALICE', 'mine');
    for (const step of STEPS) {
      const headers = { 'idempotency-key': `order:${order.id}:${step}` };
      const path = '/api/inventory/A/adjustments';
      const taken = await shop.post(path, { delta: 1, reason: 'count' }, headers);
      expect([step, taken.status]).toEqual([step, 201]);
    }
    const cancelled = await shop.post(`/api/orders/${order.id}/cancel`);
    expect([cancelled.status, cancelled.body.status]).toEqual([200, 'cancelled']);
    expect(await shop.stockOf('A')).toMatchObject({ onHand: 100 + STEPS.length, reserved: 0 });
  });

  it("is its customer's: another customer's same key is another key, and gets no answer of it", async () => {
    const first = await place('ALICE', 'same');
    const again = await place('ALICE', 'same');
    expect([again.body.id, again.headers['idempotent-replayed']]).toEqual([first.body.id, 'true']);
    const other = await place('BOB', 'same');
    expect(other.status).toBe(201);
    expect(other.body.id).not.toBe(first.body.id);
    const reused = await place('ALICE', 'same', 2);
    expect(reused.body).toMatchObject({
      code: 'idempotency_key_reused',
      detail: expect.stringContaining('Idempotency-Key "same" was used'),
    });
  });

  it('that an earlier build has stored counts for the very same request, and for no other', async () => {
    const first = await place('ALICE', 'old');
    await shop.database.transaction(async (trx) => {
      await trx('ORD_IDEM').update({ IDEM_KEY: 'old' });
    });
    expect((await place('ALICE', 'old')).body).toEqual(first.body);
    const other = await place('ALICE', 'old', 2);
    expect(other.status).toBe(201);
    expect(other.body.id).not.toBe(first.body.id);
  });
});
