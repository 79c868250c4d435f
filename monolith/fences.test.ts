import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { dialectsOfRun, eventually, setFence } from '../tests/support/index.ts';
import { openShop } from '../tests/support/shop.ts';
import type { Shop } from '../tests/support/shop.ts';

let shop: Shop;

describe.each(dialectsOfRun)('on %s', (dialect) => {
  beforeEach(async () => {
    shop = await openShop({ dialect, timing: { orderPatienceMs: 300 } });
  });

  afterEach(async () => {
    await shop.close();
  });

  const reserve = (orderId: string, sku: string, quantity: number, key: string = orderId) =>
    shop.post(
      '/api/inventory/reservations',
      { orderId, items: [{ sku, quantity }] },
      { 'idempotency-key': key },
    );
  const pay = (orderId: string, method = 'card_ok', headers: Record<string, string> = {}) =>
    shop.post(
      '/api/payments',
      { orderId, customerId: 'ALICE', amount: 500, currency: 'USD', method },
      headers,
    );

  describe.each(['closed', 'ceded'] as const)('while inventory is %s here', (state) => {
    it('refuses every write, also a refusal and a replay, and changes nothing', async () => {
      const { body: held } = await reserve('o-1', 'A', 1);
      const tables = ['INV_RSV', 'INV_RSV_LIN', 'INV_ADJ', 'INV_IDEM'];
      const before = await shop.count(...tables);
      await setFence(shop.database, 'inventory', state, 7);
      const refusals = [
        await reserve('o-2', 'A', 1),
        await reserve('o-1', 'A', 1),
        await reserve('o-3', 'C', 1),
        await reserve('o-4', 'NOT-THERE', 1),
        await shop.post(`/api/inventory/reservations/${held.id}/commit`),
        await shop.post('/api/inventory/reservations/not-there/release'),
        await shop.post('/api/inventory/A/adjustments', { delta: -1000, reason: 'count' }),
        await shop.post('/api/inventory/NOT-THERE/adjustments', { delta: 1, reason: 'count' }),
      ];
      for (const refusal of refusals) {
        expect(refusal.status).toBe(421);
        expect(refusal.body).toMatchObject({
          code: 'fenced',
          capability: 'inventory',
          state,
          epoch: 7,
        });
      }
      expect(await shop.count(...tables)).toEqual(before);
      expect(await shop.stockOf('A')).toEqual({ onHand: 100, reserved: 1, available: 99 });
      // What is wrong with a request is wrong at every owner.
      expect((await reserve('o-5', 'A', -1)).status).toBe(400);
    });

    it('goes on with payments', async () => {
      await setFence(shop.database, 'inventory', state, 7);
      expect((await pay('o-1')).status).toBe(201);
    });
  });

  describe('while payment is closed here', () => {
    it('refuses to charge and to pay back, and asks nobody for money', async () => {
      const { body: paid } = await pay('o-1');
      await setFence(shop.database, 'payment', 'closed', 3);
      const refusals = [
        await pay('o-2'),
        await shop.post(`/api/payments/${paid.id}/refunds`),
        await shop.post('/api/payments/not-there/refunds'),
      ];
      expect(refusals.map(({ status }) => status)).toEqual([421, 421, 421]);
      expect(await shop.count('PAY_TXN', 'PAY_RFND', 'PAY_IDEM')).toEqual({
        PAY_TXN: 1,
        PAY_RFND: 0,
        PAY_IDEM: 1,
      });
      expect((await shop.ledger()).charges).toHaveLength(1);
    });

    it('a charge whose fence closes while the provider works is left to the next owner', async () => {
      const headers = { 'idempotency-key': 'moving', 'x-fig-attempt': 'attempt-1' };
      const paying = pay('o-1', 'card_timeout', headers);
      const { charges } = await until(
        () => shop.ledger(),
        (ledger) => ledger.charges.length === 1,
      );
      await setFence(shop.database, 'payment', 'closed', 2);
      expect((await paying).status).toBe(421);
      const [payment] = (await shop.get('/api/payments?orderId=o-1')).body.items;
      expect(payment).toMatchObject({ id: charges[0]?.paymentId, status: 'pending' });
      // Whoever owns payment next finds intent and marker; here it comes back to where it was.
      await setFence(shop.database, 'payment', 'open', 3);
      const other = await pay('o-1', 'card_timeout', { ...headers, 'x-fig-attempt': 'attempt-2' });
      expect([other.status, other.body.code]).toEqual([409, 'request_in_flight']);
      const again = await pay('o-1', 'card_timeout', headers);
      expect([again.status, again.body]).toEqual([201, { ...payment, status: 'captured' }]);
      expect((await shop.ledger()).charges).toMatchObject([{ requests: 1 }]);
    });
  });

  describe('while the payments of ALICE are owned elsewhere', () => {
    const payments = (customerId: string, headers: Record<string, string> = {}) =>
      shop.post(
        '/api/payments',
        { orderId: 'o-1', customerId, amount: 500, currency: 'USD', method: 'card_ok' },
        headers,
      );

    it('refuses what is about them, whoever is named, and goes on with the others', async () => {
      const { body: alices } = await payments('ALICE', { 'idempotency-key': 'hers' });
      const { body: bobs } = await payments('BOB');
      await setFence(shop.database, 'payment', 'open', 1);
      await setFence(shop.database, 'payment', 'ceded', 2, 'ALICE');
      const bob = { 'x-customer-id': 'BOB' };
      const refund = (id: string, headers: Record<string, string> = {}) =>
        shop.post(`/api/payments/${id}/refunds`, { amount: 100 }, headers);
      const refusals = [
        await payments('ALICE', bob),
        await payments('ALICE', { 'idempotency-key': 'hers' }),
        // The key is hers, whoever uses it.
        await payments('BOB', { 'idempotency-key': 'hers' }),
        await refund(alices.id),
        await refund(alices.id, bob),
        await refund('not-here-yet', { 'x-customer-id': 'ALICE' }),
      ];
      for (const { status, body } of refusals) {
        expect(status).toBe(421);
        expect(body).toMatchObject({ code: 'fenced', key: 'ALICE', state: 'ceded', epoch: 2 });
      }
      expect((await payments('BOB')).status).toBe(201);
      expect((await refund(bobs.id, { 'x-customer-id': 'ALICE' })).status).toBe(201);
      expect((await refund('not-there')).status).toBe(404);
      expect(await shop.count('PAY_TXN', 'PAY_RFND')).toEqual({ PAY_TXN: 3, PAY_RFND: 1 });
    });

    it('settles what was left open of the others only, however much of hers is in the way', async () => {
      const row = {
        ORD_NO: 'o-1',
        AMT_TXT: '5.00',
        CURR_CD: 'USD',
        METH_CD: 'card_ok',
        STAT_CD: 'P',
        CRT_TS: '2026-01-01 00:00:00.000',
        UPD_TS: '2026-01-01 00:00:00.000',
      };
      await setFence(shop.database, 'payment', 'open', 1);
      await setFence(shop.database, 'payment', 'ceded', 2, 'ALICE');
      await shop.database.transaction(async (trx) => {
        for (let index = 0; index < 12; index += 1) {
          const [id, customer] = [`p-${index}`, index < 11 ? 'ALICE' : 'BOB'];
          await trx('PAY_TXN').insert({ PAY_NO: id, CUST_NO: customer, ...row });
          await trx('PAY_IDEM').insert({
            IDEM_KEY: `left-${index}`,
            REQ_HASH: 'hash',
            STATE_CD: 'I',
            ATT_ID: 'dead',
            LEASE_TS: index,
            RES_ID: id,
            CUST_NO: customer,
            CRT_TS: row.CRT_TS,
          });
        }
      });
      await until(
        () => shop.get('/api/payments/p-11'),
        ({ body }) => body.status === 'captured',
      );
      expect((await shop.ledger()).charges).toMatchObject([{ paymentId: 'p-11' }]);
    });
  });

  describe('an order between two owners', () => {
    it('is pending, says so, and ends well when there is an owner again', async () => {
      await setFence(shop.database, 'inventory', 'closed', 2);
      const body = {
        customerId: 'ALICE',
        items: [{ sku: 'A', quantity: 1 }],
        paymentMethod: 'card_ok',
      };
      const headers = { 'idempotency-key': 'patient' };
      const pending = await shop.post('/api/orders', body, headers);
      expect([pending.status, pending.body.code]).toEqual([503, 'order_pending']);
      expect(pending.headers['retry-after']).toBe('1');
      const { orderId } = pending.body;
      expect((await shop.get(`/api/orders/${orderId}`)).body.status).toBe('pending');
      await setFence(shop.database, 'inventory', 'open', 3);
      const done = await until(
        () => shop.post('/api/orders', body, headers),
        ({ status }) => status === 201,
      );
      expect(done.body).toMatchObject({ id: orderId, status: 'confirmed' });
      expect(await shop.stockOf('A')).toEqual({ onHand: 99, reserved: 0, available: 99 });
    });
  });

  async function until<T>(ask: () => Promise<T>, enough: (answer: T) => boolean): Promise<T> {
    return eventually(async () => {
      const answer = await ask();
      return enough(answer) ? answer : false;
    });
  }
});
