import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Order, OrderHistory } from '../../contracts/index.ts';
import { inventoryGuard } from '../inventory/index.ts';
import { loadShop } from '../loading/index.ts';
import { dialectsOfRun, eventually } from '../../tests/support/index.ts';
import { openShop } from '../../tests/support/shop.ts';
import type { Answer } from '../../tests/support/index.ts';
import type { Shop } from '../../tests/support/shop.ts';

let shop: Shop;

describe.each(dialectsOfRun)('on %s', (dialect) => {
  beforeEach(async () => {
    shop = await openShop({ dialect });
  });

  afterEach(async () => {
    await shop.close();
  });

  const order = (
    lines: Record<string, number>,
    paymentMethod = 'card_ok',
    customerId = 'ALICE',
  ) => ({
    customerId,
    items: Object.entries(lines).map(([sku, quantity]) => ({ sku, quantity })),
    paymentMethod,
  });

  const place = (...parts: Parameters<typeof order>) => shop.post('/api/orders', order(...parts));

  describe('placing an order', () => {
    it('takes the goods and the money, once', async () => {
      const { status, body } = await place({ A: 3, B: 2 });
      expect(status).toBe(201);
      expect(Order.parse(body)).toMatchObject({
        customerId: 'ALICE',
        status: 'confirmed',
        items: [
          { sku: 'A', quantity: 3, unitPrice: { amount: 1000, currency: 'USD' } },
          { sku: 'B', quantity: 2, unitPrice: { amount: 250, currency: 'USD' } },
        ],
        total: { amount: 3500, currency: 'USD' },
      });
      expect((await shop.get(`/api/orders/${body.id}`)).body).toEqual(body);
      expect(await shop.stockOf('A')).toEqual({ onHand: 97, reserved: 0, available: 97 });
      const reservation = await shop.get(`/api/inventory/reservations/${body.reservationId}`);
      expect(reservation.body).toMatchObject({ orderId: body.id, status: 'committed' });
      const payment = await shop.get(`/api/payments/${body.paymentId}`);
      expect(payment.body).toMatchObject({ orderId: body.id, status: 'captured', amount: 3500 });
      const { charges, totals } = await shop.ledger();
      expect(charges).toMatchObject([{ paymentId: body.paymentId, requests: 1, amount: 3500 }]);
      expect(totals).toEqual({ USD: { charged: 3500, refunded: 0 } });
    });

    it('takes nothing when one line is out of stock, and names the SKUs', async () => {
      const { status, headers, body } = await place({ A: 1, B: 6, C: 1 });
      expect(status).toBe(409);
      expect(headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(body).toMatchObject({ code: 'out_of_stock', skus: ['B', 'C'] });
      expect((await shop.get(`/api/orders/${body.orderId}`)).body.status).toBe('rejected');
      expect(await shop.stockOf('A')).toEqual({ onHand: 100, reserved: 0, available: 100 });
      expect((await shop.ledger()).charges).toEqual([]);
    });

    it('gives the goods back when the card is declined', async () => {
      const { status, body } = await place({ A: 1 }, 'card_declined');
      expect([status, body.code]).toEqual([402, 'payment_declined']);
      expect((await shop.get(`/api/orders/${body.orderId}`)).body.status).toBe('payment_declined');
      expect(await shop.stockOf('A')).toEqual({ onHand: 100, reserved: 0, available: 100 });
      expect((await shop.ledger()).totals).toEqual({});
    });

    it('finds out what became of a charge whose answer got lost', async () => {
      const { status, body } = await place({ A: 1 }, 'card_timeout');
      expect([status, body.status]).toEqual([201, 'confirmed']);
      expect((await shop.ledger()).charges).toMatchObject([{ requests: 1, status: 'captured' }]);
    });

    it('waits for a slow card, and charges nothing for nothing', async () => {
      expect((await place({ A: 1 }, 'card_slow')).status).toBe(201);
      expect((await place({ FREE: 1 })).body).toMatchObject({
        status: 'confirmed',
        paymentId: null,
        total: { amount: 0 },
      });
      expect((await shop.ledger()).charges).toHaveLength(1);
    });

    it('takes a wholesaler’s invoice of 600 lines, with SKUs of blanks and slashes, and gives it back', async () => {
      const skus = Array.from({ length: 600 }, (_, index) => `TL ${index}/2`);
      const products = skus.map((sku) => {
        return { sku, name: sku, unit_price: 25, currency: 'USD', on_hand: 3 };
      });
      await loadShop(shop.database, inventoryGuard, { products, customers: [] });
      const placed = await place(Object.fromEntries(skus.toReversed().map((sku) => [sku, 2])));
      expect([placed.status, placed.body.total?.amount]).toEqual([201, 30_000]);
      const reservation = `/api/inventory/reservations/${placed.body.reservationId}`;
      const { items } = (await shop.get(reservation)).body;
      expect(items.map(({ sku }: { sku: string }) => sku)).toEqual(skus.toSorted());
      expect(await shop.stockOf('TL 7/2')).toMatchObject({ onHand: 1, reserved: 0 });
      const cancelled = await shop.post(`/api/orders/${placed.body.id}/cancel`);
      expect([cancelled.status, cancelled.body.items?.length]).toEqual([200, 600]);
      expect(await shop.stockOf('TL 599/2')).toMatchObject({ onHand: 3, reserved: 0 });
      expect((await shop.get('/api/products/TL%207%2F2')).body).toMatchObject({ sku: 'TL 7/2' });
    });

    it('refuses what was never stocked as out of stock', async () => {
      const { status, body } = await place({ GHOST: 1 });
      expect([status, body.code, body.skus]).toEqual([409, 'out_of_stock', ['GHOST']]);
    });

    it('gives 100 identical requests with one key one order, charge and reservation', async () => {
      const headers = { 'idempotency-key': 'only-once' };
      await shop.close();
      // Patient with the card processor, which is asked once then.
      shop = await openShop({ dialect, timing: { providerTimeoutMs: 20_000 } });
      const waiting: Answer<{ code: string }>[] = [];
      const placed: Answer<Order>[] = [];
      const charge = shop.holdCards();
      const asked = Array.from({ length: 100 }, async () => {
        const answer = await shop.post('/api/orders', order({ A: 1 }), headers);
        (answer.status === 201 ? placed : waiting).push(answer);
      });
      // The order can't be placed before its charge: whatever is answered until then met one under way.
      await eventually(() => expect(waiting).toHaveLength(99));
      expect(placed).toEqual([]);
      charge();
      await Promise.all(asked);
      expect(placed).toHaveLength(1);
      expect(new Set(waiting.map(({ status, body }) => `${status} ${body.code}`))).toEqual(
        new Set(['409 request_in_flight']),
      );
      expect(waiting.every(({ headers: h }) => h['retry-after'] !== undefined)).toBe(true);
      const replay = await shop.post('/api/orders', order({ A: 1 }), headers);
      expect(replay.headers['idempotent-replayed']).toBe('true');
      expect(replay.body).toEqual(placed[0]?.body);
      expect(await shop.count('ORD_HDR', 'INV_RSV', 'PAY_TXN')).toEqual({
        ORD_HDR: 1,
        INV_RSV: 1,
        PAY_TXN: 1,
      });
      expect((await shop.ledger()).charges).toMatchObject([{ requests: 1 }]);
      expect(await shop.stockOf('A')).toEqual({ onHand: 99, reserved: 0, available: 99 });
      const other = await shop.post('/api/orders', order({ A: 2 }), headers);
      expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
    });

    it('never sells more than there is to many at once', async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => place({ B: 1 })));
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
      expect(answers.filter(({ body }) => body.code === 'out_of_stock')).toHaveLength(15);
      expect(await shop.stockOf('B')).toEqual({ onHand: 0, reserved: 0, available: 0 });
      expect((await shop.ledger()).totals).toEqual({ USD: { charged: 1250, refunded: 0 } });
    });
  });

  describe('cancelling an order', () => {
    it('restocks and pays back, once', async () => {
      const { body: placed } = await place({ A: 3 });
      const headers = { 'idempotency-key': 'cancel-once' };
      const { status, body } = await shop.post(
        `/api/orders/${placed.id}/cancel`,
        undefined,
        headers,
      );
      expect(status).toBe(200);
      expect(body).toEqual({ ...placed, status: 'cancelled' });
      expect(await shop.stockOf('A')).toEqual({ onHand: 100, reserved: 0, available: 100 });
      expect((await shop.get(`/api/payments/${placed.paymentId}`)).body).toMatchObject({
        status: 'refunded',
        refundedAmount: 3000,
      });
      const again = await shop.post(`/api/orders/${placed.id}/cancel`, undefined, headers);
      expect(again.body).toEqual(body);
      const other = await shop.post(`/api/orders/${placed.id}/cancel`);
      expect([other.status, other.body.code]).toEqual([409, 'order_not_cancellable']);
      const { refunds, totals } = await shop.ledger();
      expect(refunds).toMatchObject([{ requests: 1, amount: 3000 }]);
      expect(totals).toEqual({ USD: { charged: 3000, refunded: 3000 } });
    });

    it('pays back what is left of a payment that was paid back in part', async () => {
      const { body: placed } = await place({ A: 3 });
      await shop.post(`/api/payments/${placed.paymentId}/refunds`, { amount: 500 });
      expect((await shop.post(`/api/orders/${placed.id}/cancel`)).status).toBe(200);
      expect((await shop.ledger()).totals).toEqual({ USD: { charged: 3000, refunded: 3000 } });
    });

    it('refuses what is not confirmed and what is not there', async () => {
      const { body } = await place({ A: 1 }, 'card_declined');
      const refused = await shop.post(`/api/orders/${body.orderId}/cancel`);
      expect([refused.status, refused.body.code]).toEqual([409, 'order_not_cancellable']);
      const unknown = await shop.post('/api/orders/nobody-knows/cancel');
      expect([unknown.status, unknown.body.code]).toEqual([404, 'not_found']);
    });

    it('is done once when many ask at once', async () => {
      const { body: placed } = await place({ A: 1 });
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => shop.post(`/api/orders/${placed.id}/cancel`)),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect((await shop.ledger()).refunds).toHaveLength(1);
    });
  });

  describe('a reservation that somebody releases past its order', () => {
    it('undoes the order: the money goes back', async () => {
      // The card is slow, so there is time to release the reservation before it is committed.
      const placing = place({ A: 1 }, 'card_slow');
      const reservation = await eventually(async () => {
        const row = (await shop.database.read('INV_RSV').first('RSV_NO')) as
          { RSV_NO: string } | undefined;
        return row?.RSV_NO ?? false;
      });
      await shop.post(`/api/inventory/reservations/${reservation}/release`);
      const { status, body } = await placing;
      expect([status, body.code]).toEqual([409, 'reservation_released']);
      expect((await shop.ledger()).totals).toEqual({ USD: { charged: 1000, refunded: 1000 } });
      expect(await shop.stockOf('A')).toEqual({ onHand: 100, reserved: 0, available: 100 });
    });
  });

  describe('the history of an order', () => {
    const eventsOf = async (id: string) => {
      const { status, body } = await shop.get(`/api/orders/${id}/history`);
      expect(status).toBe(200);
      const history = OrderHistory.parse(body);
      const times = history.entries.map(({ at }) => at);
      expect(times).toEqual(times.toSorted());
      return [history.status, ...history.entries.map(({ event }) => event)];
    };

    it('tells what happened step by step', async () => {
      const { body: placed } = await place({ A: 1 });
      const bought = ['placed', 'goods_reserved', 'payment_taken', 'goods_taken', 'confirmed'];
      expect(await eventsOf(placed.id)).toEqual(['confirmed', ...bought]);
      await shop.post(`/api/orders/${placed.id}/cancel`);
      expect(await eventsOf(placed.id)).toEqual([
        'cancelled',
        ...bought,
        'cancellation_requested',
        'goods_released',
        'payment_refunded',
        'cancelled',
      ]);
      const declined = (await place({ A: 1 }, 'card_declined')).body.orderId;
      expect(await eventsOf(declined)).toEqual([
        'payment_declined',
        'placed',
        'goods_reserved',
        'payment_declined',
        'goods_released',
        'rejected',
      ]);
      const { body: free } = await place({ FREE: 1 });
      expect(await eventsOf(free.id)).toContain('nothing_to_pay');
      expect((await shop.get('/api/orders/nobody-knows/history')).status).toBe(404);
    });
  });

  describe('lists of orders', () => {
    it('show one customer’s orders, page by page', async () => {
      for (let count = 0; count < 3; count += 1) await place({ A: 1 });
      await place({ A: 1 }, 'card_ok', 'BOB');
      const first = await shop.get('/api/orders?customerId=ALICE&limit=2');
      expect(first.body.items).toHaveLength(2);
      const next = `cursor=${first.body.nextCursor}`;
      const second = await shop.get(`/api/orders?customerId=ALICE&limit=2&${next}`);
      expect(second.body).toMatchObject({ items: [{ customerId: 'ALICE' }], nextCursor: null });
      // A cursor belongs to its list.
      expect((await shop.get(`/api/orders?customerId=BOB&${next}`)).status).toBe(400);
    });
  });
});
