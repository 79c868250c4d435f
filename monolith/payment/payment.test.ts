import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  createExpressServer,
  createLog,
  listen,
  LOOPBACK_ONLY,
  requestHash,
} from '../../chassis/index.ts';
import { buildProvider } from '../../extracted/provider/index.ts';
import { providerMigrations } from '../../migrations/provider/index.ts';
import { dialectsOfRun, eventually, temporaryDatabase } from '../../tests/support/index.ts';
import { openShop } from '../../tests/support/shop.ts';
import type { Shop } from '../../tests/support/shop.ts';

let shop: Shop;

describe.each(dialectsOfRun)('on %s', (dialect) => {
  beforeEach(async () => {
    shop = await openShop({ dialect });
  });

  afterEach(async () => {
    await shop.close();
  });

  const charge = { orderId: 'o-1', customerId: 'ALICE', amount: 1234, currency: 'USD' };
  const pay = (method: string, headers: Record<string, string> = {}) =>
    shop.post('/api/payments', { ...charge, method }, headers);
  const refund = (id: string, body?: object, headers: Record<string, string> = {}) =>
    shop.post(`/api/payments/${id}/refunds`, body, headers);

  describe('charging', () => {
    it.each(['card_ok', 'card_slow', 'card_timeout'])('%s is captured, once', async (method) => {
      const { status, body } = await pay(method);
      expect(status).toBe(201);
      expect(body).toMatchObject({ ...charge, method, status: 'captured', refundedAmount: 0 });
      expect((await shop.get(`/api/payments/${body.id}`)).body).toEqual(body);
      expect((await shop.get('/api/payments?orderId=o-1')).body.items).toEqual([body]);
      expect((await shop.ledger()).charges).toMatchObject([{ paymentId: body.id, requests: 1 }]);
    });

    it('card_declined is declined, and says so again to the same key', async () => {
      const headers = { 'idempotency-key': 'no-luck' };
      const { status, body } = await pay('card_declined', headers);
      expect([status, body.code]).toEqual([402, 'payment_declined']);
      const again = await pay('card_declined', headers);
      expect(again.headers['idempotent-replayed']).toBe('true');
      expect(again.body.paymentId).toBe(body.paymentId);
      const payment = await shop.get(`/api/payments/${body.paymentId}`);
      expect(payment.body.status).toBe('declined');
      expect((await refund(body.paymentId)).body.code).toBe('payment_not_captured');
    });

    it('a step of the system is charged and paid back once, also a day after its key was deleted', async () => {
      const step = (name: string) => ({
        'x-fig-caller': 'system',
        'idempotency-key': `order:o-1:${name}`,
      });
      const forget = () => shop.database.transaction((trx) => trx('PAY_IDEM').delete());
      const first = await pay('card_ok', step('charge'));
      await forget();
      expect(await pay('card_ok', step('charge'))).toMatchObject({ status: 201, body: first.body });
      expect((await shop.ledger()).charges).toMatchObject([{ paymentId: first.body.id }]);
      expect(await shop.count('PAY_TXN')).toEqual({ PAY_TXN: 1 });
      await refund(first.body.id, { amount: 34 }, step('refund'));
      await forget();
      const again = await refund(first.body.id, { amount: 34 }, step('refund'));
      expect(again).toMatchObject({ status: 201, body: { refundedAmount: 34 } });
      // A client may pay for an order twice, if it asks for it twice.
      expect((await pay('card_ok')).body.id).not.toBe(first.body.id);
    });

    it('a client is charged and paid back once for its key, also a day after the key was deleted', async () => {
      const forget = () => shop.database.transaction((trx) => trx('PAY_IDEM').delete());
      const key = { 'idempotency-key': 'mine' };
      const first = await pay('card_ok', key);
      await forget();
      expect(await pay('card_ok', key)).toMatchObject({ status: 201, body: first.body });
      await refund(first.body.id, { amount: 34 }, key);
      await forget();
      const again = await refund(first.body.id, { amount: 34 }, key);
      expect(again).toMatchObject({ status: 201, body: { refundedAmount: 34 } });
      expect((await shop.ledger()).charges).toMatchObject([{ paymentId: first.body.id }]);
      // The key may be used for something else by then.
      expect((await refund(first.body.id, { amount: 35 }, key)).status).toBe(422);
      await forget();
      const other = await refund(first.body.id, { amount: 35 }, key);
      expect(other).toMatchObject({ status: 201, body: { refundedAmount: 69 } });
    });

    it('50 identical requests with one key charge once', async () => {
      const headers = { 'idempotency-key': 'once' };
      await shop.close();
      // Patient with the card processor, which is asked once then.
      shop = await openShop({ dialect, timing: { providerTimeoutMs: 20_000 } });
      const waiting: string[] = [];
      const paid: string[] = [];
      const charged = shop.holdCards();
      const asked = Array.from({ length: 50 }, async () => {
        const { status, body } = await pay('card_ok', headers);
        if (status === 201) paid.push(body.id);
        else waiting.push(`${status} ${body.code}`);
      });
      // Nobody is paid before the card is charged: whatever is answered until then met one under way.
      await eventually(() => expect(waiting).toHaveLength(49));
      expect(new Set(waiting)).toEqual(new Set(['409 request_in_flight']));
      charged();
      await Promise.all(asked);
      expect(paid).toHaveLength(1);
      expect((await shop.ledger()).charges).toMatchObject([{ requests: 1 }]);
    });
  });

  describe('paying back', () => {
    it('in parts, and never more than was paid', async () => {
      const { body: paid } = await pay('card_ok');
      const part = await refund(paid.id, { amount: 1000 });
      expect([part.status, part.body.status]).toEqual([201, 'partially_refunded']);
      const tooMuch = await refund(paid.id, { amount: 235 });
      expect([tooMuch.status, tooMuch.body.code]).toEqual([409, 'refund_exceeds_payment']);
      const rest = await refund(paid.id, undefined, { 'idempotency-key': 'rest' });
      expect(rest.body).toMatchObject({ status: 'refunded', refundedAmount: 1234 });
      const again = await refund(paid.id, undefined, { 'idempotency-key': 'rest' });
      expect(again.body).toEqual(rest.body);
      expect((await refund(paid.id)).body.code).toBe('refund_exceeds_payment');
      expect((await shop.ledger()).totals).toEqual({ USD: { charged: 1234, refunded: 1234 } });
    });

    it('never pays back more to many who ask at once', async () => {
      const { body: paid } = await pay('card_ok');
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => refund(paid.id, { amount: 500 })),
      );
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
      expect((await shop.ledger()).totals).toEqual({ USD: { charged: 1234, refunded: 1000 } });
    });
  });

  describe('a provider that is away', () => {
    it('leaves a payment pending; the same key finds its end when it is back', async () => {
      const ledger = await temporaryDatabase(providerMigrations);
      const app = buildProvider({
        access: LOOPBACK_ONLY,
        database: ledger,
        log: createLog('test', 'silent'),
        slowMs: 0,
      });
      const where = { host: '127.0.0.1', variable: 'PORT' };
      const provider = await listen(createExpressServer(app), { ...where, port: 0 });
      await provider.close(0);
      const away = await openShop({
        providerUrl: `http://127.0.0.1:${provider.port}`,
        timing: { providerPatienceMs: 100 },
      });
      try {
        const body = { ...charge, method: 'card_ok' };
        const headers = { 'idempotency-key': 'later' };
        const pending = await away.post('/api/payments', body, headers);
        expect([pending.status, pending.body.code]).toEqual([503, 'payment_pending']);
        expect(pending.headers['retry-after']).toBe('1');
        const { paymentId } = pending.body;
        expect((await away.get(`/api/payments/${paymentId}`)).body.status).toBe('pending');
        const back = await listen(createExpressServer(app), { ...where, port: provider.port });
        const done = await eventually(async () => {
          const answer = await away.post('/api/payments', body, headers);
          return answer.status === 201 && answer;
        });
        expect(done.body).toMatchObject({ id: paymentId, status: 'captured' });
        expect(await ledger.read('charges').select('payment_id', 'requests')).toEqual([
          { payment_id: paymentId, requests: 1 },
        ]);
        await back.close(0);
      } finally {
        await away.close();
        await ledger.close();
      }
    });
  });

  describe('what a dead process left open', () => {
    const long_ago = '2026-01-01 00:00:00.000';

    async function leave(table: 'PAY_TXN' | 'PAY_RFND', row: object, key: string, id: string) {
      await shop.database.transaction(async (trx) => {
        await trx(table).insert({ ...row, STAT_CD: 'P', CRT_TS: long_ago, UPD_TS: long_ago });
        await trx('PAY_IDEM').insert({
          IDEM_KEY: key,
          REQ_HASH: requestHash('POST', '/api/payments', { ...charge, method: 'card_ok' }),
          STATE_CD: 'I',
          ATT_ID: 'dead',
          LEASE_TS: 1,
          RES_ID: id,
          CRT_TS: long_ago,
        });
      });
    }

    const row = {
      PAY_NO: 'p-1',
      ORD_NO: 'o-1',
      CUST_NO: 'ALICE',
      AMT_TXT: '12.34',
      CURR_CD: 'USD',
      METH_CD: 'card_ok',
    };

    it('is charged when the provider does not know it, and answered to its key', async () => {
      await leave('PAY_TXN', row, 'left', 'p-1');
      await eventually(
        async () => (await shop.get('/api/payments/p-1')).body.status === 'captured',
      );
      const replay = await pay('card_ok', { 'idempotency-key': 'left' });
      expect([replay.status, replay.body.id]).toEqual([201, 'p-1']);
      expect((await shop.ledger()).charges).toMatchObject([{ paymentId: 'p-1', requests: 1 }]);
    });

    it('is looked up, not charged again, when the provider knows it', async () => {
      const { body: paid } = await pay('card_ok');
      await shop.database.transaction(async (trx) => {
        await trx('PAY_TXN').update({ STAT_CD: 'P' });
        await trx('PAY_IDEM').update({
          STATE_CD: 'I',
          LEASE_TS: 1,
          HTTP_STAT: null,
          RESP_TXT: null,
        });
      });
      await eventually(
        async () => (await shop.get(`/api/payments/${paid.id}`)).body.status === 'captured',
      );
      expect((await shop.ledger()).charges).toMatchObject([{ requests: 1 }]);
    });

    it('is paid back once, when it was a refund', async () => {
      const { body: paid } = await pay('card_ok');
      const asked = { RFND_NO: 'r-1', PAY_NO: paid.id, CUST_NO: 'ALICE', AMT_TXT: '12.34' };
      await leave('PAY_RFND', asked, 'left', 'r-1');
      await eventually(
        async () => (await shop.get(`/api/payments/${paid.id}`)).body.status === 'refunded',
      );
      expect((await shop.ledger()).refunds).toMatchObject([{ refundId: 'r-1', requests: 1 }]);
    });
  });
});
