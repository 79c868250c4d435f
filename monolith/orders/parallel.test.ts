import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLog, LOOPBACK_ONLY } from '../../chassis/index.ts';
import { dialectsOfRun, eventually, inSoak, withRedis } from '../../tests/support/index.ts';
import { openShop } from '../../tests/support/shop.ts';
import type { Shop } from '../../tests/support/shop.ts';
import { inventoryGuard } from '../inventory/index.ts';
import { startEvents } from '../events.ts';
import { loadShop } from '../loading/index.ts';

const silent = createLog('test', 'silent');
/** Whatever the machine is busy with. */
const PATIENT = { providerTimeoutMs: 20_000, providerPatienceMs: 50_000, orderPatienceMs: 50_000 };
const ORDERS = inSoak(200, 60);

describe.each(dialectsOfRun)('requests at the same moment, on %s', (dialect) => {
  let shop: Shop;

  beforeEach(async () => {
    shop = await openShop({ dialect, slowMs: 0, timing: PATIENT });
  });

  afterEach(() => shop.close());

  const at = <T>(times: number, call: (index: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: times }, (_, index) => call(index)));
  const codesOf = (answers: readonly { status: number; body: { code?: string } }[]) => {
    const counts: Record<string, number> = {};
    for (const { status, body } of answers) {
      const code = body.code === undefined ? `${status}` : `${status} ${body.code}`;
      counts[code] = (counts[code] ?? 0) + 1;
    }
    return counts;
  };
  const order = (skus: readonly string[]) => ({
    customerId: 'ALICE',
    items: skus.map((sku) => ({ sku, quantity: 1 })),
    paymentMethod: 'card_ok',
  });

  it(`${ORDERS} orders for three SKUs, in any order of lines, sell what is there and no more`, async () => {
    const skus = ['hot-1', 'Hot-2', 'HOT-3'];
    const each = ORDERS / 2;
    const products = skus.map((sku) => {
      return { sku, name: sku, unit_price: 100, currency: 'USD', on_hand: each };
    });
    await loadShop(shop.database, inventoryGuard, { products, customers: [] });
    // Every two of three: each SKU is wanted by two thirds of the orders, and there is enough for one half.
    const answers = await at(ORDERS, (index) => {
      const two = [skus[index % 3], skus[(index + 1 + (index % 2)) % 3]] as string[];
      return shop.post('/api/orders', order(two));
    });
    const codes = codesOf(answers);
    expect(Object.keys(codes).toSorted()).toEqual(['201', '409 out_of_stock']);
    const sold = answers
      .filter(({ status }) => status === 201)
      .flatMap(({ body }) => (body.items as { sku: string }[]).map(({ sku }) => sku));
    for (const sku of skus) {
      const count = sold.filter((each_) => each_ === sku).length;
      expect(count).toBeLessThanOrEqual(each);
      expect(await shop.stockOf(sku)).toEqual({
        onHand: each - count,
        reserved: 0,
        available: each - count,
      });
    }

    const { totals } = await shop.ledger();
    expect(totals['USD']).toEqual({ charged: (codes['201'] ?? 0) * 200, refunded: 0 });
  });

  it('one request under one key takes effect once', async () => {
    // Keys one after the other: by the second all connections are there, and many ask at the same moment.
    for (const key of ['first', 'second', 'third']) {
      const adjusted = await at(20, () =>
        shop.post(
          '/api/inventory/A/adjustments',
          { delta: 7, reason: 'found' },
          { 'idempotency-key': key },
        ),
      );
      expect(codesOf(adjusted)).toEqual({ 201: 20 });
    }
    expect(await shop.stockOf('A')).toMatchObject({ onHand: 121 });
    expect(await shop.count('INV_ADJ')).toEqual({ INV_ADJ: 3 });
  });

  it('adjustments take no more than there is', async () => {
    const taken = await at(20, () =>
      shop.post('/api/inventory/B/adjustments', { delta: -1, reason: 'broken' }),
    );
    expect(codesOf(taken)).toEqual({ 201: 5, '409 insufficient_stock': 15 });
    expect(await shop.stockOf('B')).toMatchObject({ onHand: 0 });
  });

  it('one order is reserved once, whatever the keys', async () => {
    const body = { orderId: 'o-1', items: [{ sku: 'A', quantity: 3 }] };
    const answers = await at(10, () => shop.post('/api/inventory/reservations', body));
    expect(codesOf(answers)).toEqual({ 201: 1, '409 already_reserved': 9 });
    expect(await shop.stockOf('A')).toMatchObject({ reserved: 3 });
  });

  it('a reservation is committed or released, and its goods move once', async () => {
    const body = { orderId: 'o-2', items: [{ sku: 'A', quantity: 3 }] };
    const { id } = (await shop.post('/api/inventory/reservations', body)).body as { id: string };
    await at(20, (index) =>
      shop.post(`/api/inventory/reservations/${id}/${index % 2 === 0 ? 'commit' : 'release'}`),
    );
    // Whichever came first: a committed one that is released is put back on the shelf.
    expect(await shop.stockOf('A')).toEqual({ onHand: 100, reserved: 0, available: 100 });
  });

  it('one order is cancelled once, whatever the keys', async () => {
    const placed = await shop.post('/api/orders', order(['A']));
    const path = `/api/orders/${placed.body.id}/cancel`;
    const answers = await at(10, () => shop.post(path));
    expect(codesOf(answers)).toEqual({ 200: 1, '409 order_not_cancellable': 9 });
    expect(await shop.stockOf('A')).toEqual({ onHand: 100, reserved: 0, available: 100 });
    expect((await shop.ledger()).refunds).toHaveLength(1);
  });

  it('no more of a payment is paid back than was paid, whatever the keys', async () => {
    const payment = { orderId: 'o-3', customerId: 'ALICE', amount: 100, currency: 'USD' };
    const paid = await shop.post('/api/payments', { ...payment, method: 'card_ok' });
    const path = `/api/payments/${paid.body.id}/refunds`;
    const answers = await at(10, () => shop.post(path, { amount: 30 }));
    expect(codesOf(answers)).toEqual({ 201: 3, '409 refund_exceeds_payment': 7 });
    expect((await shop.get(`/api/payments/${paid.body.id}`)).body.refundedAmount).toBe(90);
    expect((await shop.ledger()).totals['USD']).toEqual({ charged: 100, refunded: 90 });
  });

  it('events that several relays carry reach each subscriber once, and leave the outbox', () =>
    withRedis(async ({ url }) => {
      // Nothing is sent again: what two relays send at the same moment leaves by itself.
      const start = () =>
        startEvents({
          database: shop.database,
          redisUrl: url,
          access: LOOPBACK_ONLY,
          log: silent,
          resendMs: 600_000,
        });
      const stops = [await start(), await start()];
      try {
        await at(20, () => shop.post('/api/orders', order(['A'])));
        await eventually(
          async () => {
            const toShipping = shop.database
              .read('event_deliveries')
              .where('subscriber', 'shipping');
            expect(await toShipping).toEqual([]);
          },
          { timeoutMs: 20_000 },
        );
        expect(await shop.count('SHP_HDR', 'event_inbox')).toEqual({
          SHP_HDR: 20,
          event_inbox: 20,
        });
      } finally {
        await Promise.all(stops.map((stop) => stop()));
      }
    }));
});
