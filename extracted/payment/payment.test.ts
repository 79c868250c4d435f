import type { Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import {
  createExpressServer,
  createLog,
  KEPT_MS,
  LEASE_MS,
  listen,
  LOOPBACK_ONLY,
  purgeKeys,
  requestHash,
} from '../../chassis/index.ts';
import type { Database, Listening, OperationScope } from '../../chassis/index.ts';
import { paymentMigrations } from '../../migrations/payment/index.ts';
import { providerMigrations } from '../../migrations/provider/index.ts';
import {
  dialectsOfRun,
  eventually,
  setFence,
  temporaryDatabase,
} from '../../tests/support/index.ts';
import { buildProvider } from '../provider/index.ts';
import { createProvider } from './provider.ts';
import type { Provider } from './provider.ts';
import { buildApp, paymentGuard, paymentKeys } from './index.ts';
import { resolvePayments } from './resolver.ts';

const log = createLog('payment', 'silent');
const SLOW_MS = 250;
const TIMEOUT_MS = 100;

let ledger: Database;
let providerServer: Listening;
let database: Database;
let scope: OperationScope;
let provider: Provider;
let server: Server;
let clock: number;

async function startProvider(port = 0): Promise<void> {
  const app = buildProvider({ access: LOOPBACK_ONLY, database: ledger, log, slowMs: SLOW_MS });
  providerServer = await listen(createExpressServer(app), {
    port,
    host: '127.0.0.1',
    variable: 'PROVIDER_PORT',
  });
}

/** @param patienceMs long unless told otherwise: on a busy machine many a call takes longer than its time-out */
function useProvider(patienceMs = 30_000): void {
  const url = `http://127.0.0.1:${providerServer.port}`;
  provider = createProvider({ url, timeoutMs: TIMEOUT_MS, patienceMs });
  server = createExpressServer(buildApp({ access: LOOPBACK_ONLY, scope, provider, log }));
}

describe.each(dialectsOfRun)('on %s', (dialect) => {
  beforeEach(async () => {
    clock = Date.now();
    ledger = await temporaryDatabase(providerMigrations);
    await startProvider();
    database = await temporaryDatabase(paymentMigrations, dialect);
    await setFence(database, 'payment', 'open');
    scope = { database, guard: paymentGuard, keys: paymentKeys, now: () => clock };
    useProvider();
  });

  afterEach(async () => {
    await provider.close();
    await providerServer.close(0);
    await Promise.all([database.close(), ledger.close()]);
  });

  const bodyFor = (method: string, orderId = 'o-1') => ({
    orderId,
    customerId: 'ALFKI',
    amount: 1_000,
    currency: 'USD',
    method,
  });
  const pay = (
    method: string,
    { key, attempt = 'a-1' }: { key?: string; attempt?: string } = {},
  ) => {
    const call = request(server).post('/api/payments').set('x-fig-attempt', attempt);
    return (key === undefined ? call : call.set('idempotency-key', key)).send(bodyFor(method));
  };
  const refund = (id: string, body?: object) =>
    request(server).post(`/api/payments/${id}/refunds`).send(body);
  const list = (query: string) => request(server).get(`/api/payments?${query}`);
  const charges = () =>
    ledger.read('charges') as Promise<{ payment_id: string; requests: number; status: string }[]>;
  const refunds = () => ledger.read('refunds') as Promise<{ amount: number; requests: number }[]>;
  const payments = () => database.read('payments') as Promise<{ id: string }[]>;

  /** An intent as a process leaves it that dies right after its first transaction. */
  async function intent(id: string, method: string): Promise<void> {
    const { orderId, customerId, amount, currency } = bodyFor(method);
    await database.transaction(async (trx) => {
      await trx('payments').insert({
        id,
        order_id: orderId,
        customer_id: customerId,
        amount_minor: amount,
        currency,
        method,
        created_at: clock,
      });
      const hash = requestHash('POST', '/api/payments', bodyFor(method));
      const left = { key: `k-${id}`, hash, attemptId: 'dead', cohortKey: customerId };
      await paymentKeys.begin(trx, left, undefined, id, clock);
    });
  }

  describe('a charge', () => {
    it('of a step of the system is made and paid back once, also a day after its key was deleted', async () => {
      const asStep = (call: request.Test, name: string) =>
        call.set('x-fig-caller', 'system').set('idempotency-key', `order:o-1:${name}`);
      const forget = () => database.transaction((trx) => trx('request_keys').delete());
      const first = await asStep(pay('card_ok'), 'charge');
      await forget();
      const again = await asStep(pay('card_ok'), 'charge');
      expect([again.status, again.body]).toEqual([201, first.body]);
      expect(await charges()).toMatchObject([{ payment_id: first.body.id }]);
      expect(await payments()).toHaveLength(1);
      await asStep(refund(first.body.id, { amount: 34 }), 'refund');
      await forget();
      const paidBack = await asStep(refund(first.body.id, { amount: 34 }), 'refund');
      expect([paidBack.status, paidBack.body.refundedAmount]).toEqual([201, 34]);
      expect(await refunds()).toMatchObject([{ amount: 34 }]);
    });

    it('of a client is made and paid back once for its key, also a day after the key was deleted', async () => {
      const mine = (call: request.Test) => call.set('idempotency-key', 'mine');
      const forget = () => database.transaction((trx) => trx('request_keys').delete());
      const first = await mine(pay('card_ok'));
      await forget();
      const again = await mine(pay('card_ok'));
      expect([again.status, again.body]).toEqual([201, first.body]);
      expect(await charges()).toMatchObject([{ payment_id: first.body.id }]);
      await mine(refund(first.body.id, { amount: 34 }));
      await forget();
      const paidBack = await mine(refund(first.body.id, { amount: 34 }));
      expect([paidBack.status, paidBack.body.refundedAmount]).toEqual([201, 34]);
      expect(await refunds()).toMatchObject([{ amount: 34 }]);
    });

    it.each(['card_ok', 'card_timeout', 'card_slow'])('with %s is made once', async (method) => {
      const { status, body } = await pay(method);
      expect(status).toBe(201);
      expect(body).toMatchObject({ ...bodyFor(method), status: 'captured', refundedAmount: 0 });
      expect(await charges()).toMatchObject([{ payment_id: body.id, requests: 1 }]);
      const shown = await request(server).get(`/api/payments/${body.id}`).expect(200);
      expect(shown.body).toEqual(body);
    });

    it('that is declined says so, and stays declined', async () => {
      const first = await pay('card_declined', { key: 'k-1' }).expect(402);
      expect(first.body).toMatchObject({ code: 'payment_declined' });
      const again = await pay('card_declined', { key: 'k-1', attempt: 'a-2' }).expect(402);
      expect(again.body.paymentId).toBe(first.body.paymentId);
      expect(again.headers['idempotent-replayed']).toBe('true');
      expect(await charges()).toHaveLength(1);
      const refused = await refund(first.body.paymentId).expect(409);
      expect(refused.body.code).toBe('payment_not_captured');
    });

    it('sent 50 times at once with one key is one charge', async () => {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          pay('card_slow', { key: 'k-1', attempt: `a-${index}` }),
        ),
      );
      const statuses = new Set(answers.map(({ status }) => status));
      expect([...statuses].sort((left, right) => left - right)).toEqual([201, 409]);
      for (const { status, body, headers } of answers) {
        if (status === 409) {
          expect([body.code, headers['retry-after']]).toEqual(['request_in_flight', '1']);
        }
      }
      expect(await charges()).toHaveLength(1);
      await pay('card_slow', { key: 'k-1', attempt: 'later' }).expect(201);
      await pay('card_ok', { key: 'k-1' }).expect(422);
      expect(await charges()).toMatchObject([{ requests: 1 }]);
    });

    it('stays pending while the provider is away, and is finished under the same key', async () => {
      const { port } = providerServer;
      await provider.close();
      useProvider(150);
      await providerServer.close(0);
      const pending = await pay('card_ok', { key: 'k-1' }).expect(503);
      expect(pending.body.code).toBe('payment_pending');
      expect(pending.headers['retry-after']).toBe('1');
      const shown = await request(server)
        .get(`/api/payments/${pending.body.paymentId}`)
        .expect(200);
      expect(shown.body.status).toBe('pending');
      await startProvider(port);
      const { body } = await pay('card_ok', { key: 'k-1', attempt: 'a-2' }).expect(201);
      expect(body).toMatchObject({ id: pending.body.paymentId, status: 'captured' });
      expect(await charges()).toHaveLength(1);
    });
  });

  describe('a refund', () => {
    it('pays back a part, then the rest, then no more', async () => {
      const { body: payment } = await pay('card_ok').expect(201);
      const part = await refund(payment.id, { amount: 300 }).expect(201);
      expect(part.body).toEqual({ ...payment, status: 'partially_refunded', refundedAmount: 300 });
      const tooMuch = await refund(payment.id, { amount: 701 }).expect(409);
      expect(tooMuch.body.code).toBe('refund_exceeds_payment');
      const rest = await refund(payment.id).expect(201);
      expect(rest.body).toEqual({ ...payment, status: 'refunded', refundedAmount: 1_000 });
      await refund(payment.id).expect(409);
      expect(new Set((await refunds()).map(({ amount }) => amount))).toEqual(new Set([300, 700]));
    });

    it('never pays back more than there is, however many ask at once', async () => {
      const { body: payment } = await pay('card_ok').expect(201);
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => refund(payment.id, { amount: 400 })),
      );
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
      expect(await refunds()).toHaveLength(2);
    });

    it('of an unknown payment is not found, and leaves nothing', async () => {
      await refund('nothing').expect(404);
      expect(await database.read('request_keys')).toEqual([]);
    });
  });

  describe('the fence', () => {
    it('is asked before anything is recorded or charged', async () => {
      await setFence(database, 'payment', 'ceded', 4);
      const { body } = await pay('card_ok').expect(421);
      expect(body).toMatchObject({ capability: 'payment', state: 'ceded', epoch: 4 });
      expect(await payments()).toEqual([]);
      expect(await charges()).toEqual([]);
    });

    it('may close during a charge: the same attempt goes on where it is open, charging once', async () => {
      const underWay = pay('card_slow', { key: 'k-1' }).then((answer) => answer);
      await eventually(async () => (await charges()).length === 1);
      await setFence(database, 'payment', 'closed', 2);
      expect((await underWay).status).toBe(421);
      await setFence(database, 'payment', 'open', 3);
      await pay('card_slow', { key: 'k-1', attempt: 'another' }).expect(409);
      const { body } = await pay('card_slow', { key: 'k-1' }).expect(201);
      expect(await charges()).toMatchObject([{ payment_id: body.id, requests: 1 }]);
    });
  });

  describe('what a crash leaves open', () => {
    it('is left alone while its lease lives, then settled, and its client gets the answer', async () => {
      await intent('p-1', 'card_ok');
      await intent('p-2', 'card_declined');
      expect(await resolvePayments(scope, provider, log)).toBe(0);
      clock += LEASE_MS + 1;
      expect(await resolvePayments(scope, provider, log)).toBe(2);
      expect(await resolvePayments(scope, provider, log)).toBe(0);
      const replay = await pay('card_ok', { key: 'k-p-1', attempt: 'again' }).expect(201);
      expect(replay.body).toMatchObject({ id: 'p-1', status: 'captured' });
      const declined = await request(server).get('/api/payments/p-2').expect(200);
      expect(declined.body.status).toBe('declined');
      expect((await charges()).map(({ requests }) => requests)).toEqual([1, 1]);
    });

    it('is settled for refunds too', async () => {
      const { body: payment } = await pay('card_ok').expect(201);
      await database.transaction(async (trx) => {
        await trx('payment_entries').insert({
          payment_id: payment.id,
          customer_id: payment.customerId,
          entry_id: 'refund:r-1',
          kind: 'refund_requested',
          amount_minor: 250,
          at: clock,
        });
        const { customerId: cohortKey } = payment;
        const request_ = { key: 'k-r', hash: 'hash', attemptId: 'dead', cohortKey };
        await paymentKeys.begin(trx, request_, undefined, 'r-1', clock);
      });
      clock += LEASE_MS + 1;
      expect(await resolvePayments(scope, provider, log)).toBe(1);
      const { body } = await request(server).get(`/api/payments/${payment.id}`).expect(200);
      expect(body).toMatchObject({ status: 'partially_refunded', refundedAmount: 250 });
    });

    it('is nobody’s business where the fence is not open', async () => {
      await intent('p-1', 'card_ok');
      await setFence(database, 'payment', 'ceded', 2);
      clock += LEASE_MS + 1;
      expect(await resolvePayments(scope, provider, log)).toBe(0);
      expect(await charges()).toEqual([]);
    });
  });

  describe('while only the payments of ALFKI are owned here', () => {
    beforeEach(async () => {
      await setFence(database, 'payment', 'closed', 0);
      await setFence(database, 'payment', 'open', 2, 'ALFKI');
    });

    it('serves that customer, also who names another or nobody, and refuses the others', async () => {
      const { body: payment } = await pay('card_ok', { key: 'k-1' }).expect(201);
      const again = await pay('card_ok', { key: 'k-1', attempt: 'a-2' }).expect(201);
      expect(again.body).toEqual(payment);
      await refund(payment.id, { amount: 100 }).expect(201);
      await refund(payment.id, { amount: 100 }).set('x-customer-id', 'ANTON').expect(201);
      await refund('none').set('x-customer-id', 'ALFKI').expect(404);
      const others = await request(server)
        .post('/api/payments')
        .send({ ...bodyFor('card_ok'), customerId: 'ANTON' })
        .expect(421);
      expect(others.body).not.toHaveProperty('key');
      await refund('none').expect(421);
      const rows = await database.read('payment_entries').pluck('customer_id');
      expect(rows).toEqual(Array(5).fill('ALFKI'));
    });

    it('settles what was left open of that customer, and forgets old answers', async () => {
      await intent('p-1', 'card_ok');
      clock += LEASE_MS + 1;
      expect(await resolvePayments(scope, provider, log)).toBe(1);
      await database.transaction((trx) =>
        trx('request_keys').insert({
          key: 'theirs',
          request_hash: 'hash',
          state: 'done',
          attempt_id: 'a',
          customer_id: 'ANTON',
          created_at: 0,
        }),
      );
      const now = (): number => clock + 2 * KEPT_MS;
      const stop = purgeKeys({ ...scope, now, log, everyMs: 10 });
      await eventually(async () =>
        expect(await database.read('request_keys').pluck('key')).toEqual(['theirs']),
      );
      stop();
    });
  });

  describe('the payments of an order', () => {
    it('come in pages, and not without an order', async () => {
      const ids: string[] = [];
      for (const _payment of [1, 2, 3]) ids.push((await pay('card_ok').expect(201)).body.id);
      const first = await list('orderId=o-1&limit=2').expect(200);
      const second = await list(`orderId=o-1&cursor=${first.body.nextCursor}`).expect(200);
      const shown = [...first.body.items, ...second.body.items].map(({ id }: { id: string }) => id);
      expect(shown).toEqual(ids.toSorted());
      await list(`orderId=o-2&cursor=${first.body.nextCursor}`).expect(400);
      const missing = await list('').expect(400);
      expect(missing.body.errors[0].field).toBe('orderId');
    });
  });
});
