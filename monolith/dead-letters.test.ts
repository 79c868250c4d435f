import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import express from 'express';
import { createExpressServer, listen } from '../chassis/index.ts';
import type { Listening } from '../chassis/index.ts';
import { eventually, request, setFence } from '../tests/support/index.ts';
import type { Answer } from '../tests/support/index.ts';
import { openShop } from '../tests/support/shop.ts';
import type { Shop } from '../tests/support/shop.ts';

/** A payment service that owns payment and answers every write in the same way. */
interface PaymentService {
  answer: { status: number; body: unknown };
  requests: number;
}

const NO_ACCOUNT = { status: 422, body: { code: 'no_such_account', detail: 'no such account' } };
const AWAY = { status: 503, body: { code: 'database_unavailable' } };
const PAID = { status: 201, body: { id: 'pay-1' } };

let service: PaymentService;
let server: Listening;
let shop: Shop;

async function open(stepGiveUpMs: number): Promise<void> {
  shop = await openShop({
    paymentUrl: `http://127.0.0.1:${server.port}`,
    timing: { stepBackoffMs: 5, orderPatienceMs: 2_000, stepGiveUpMs },
  });
  await setFence(shop.database, 'payment', 'ceded', 2);
}

beforeEach(async () => {
  service = { answer: NO_ACCOUNT, requests: 0 };
  const app = express().use((_req, res) => {
    service.requests += 1;
    const { status, body } = service.answer;
    if (typeof body === 'string') res.status(status).type('html').send(body);
    else res.status(status).json(body);
  });
  const options = { port: 0, host: '127.0.0.1', variable: 'PORT' };
  server = await listen(createExpressServer(app), options);
  await open(0);
});

afterEach(async () => {
  await shop.close();
  await server.close(0);
});

const place = () =>
  shop.post(
    '/api/orders',
    { customerId: 'ALICE', items: [{ sku: 'A', quantity: 3 }], paymentMethod: 'card_ok' },
    { 'idempotency-key': 'the-key' },
  );
const decide = (decision: 'retry' | 'drop', id: string, kind = 'step') =>
  shop.post(`/dead-letters/${kind}/${encodeURIComponent(id)}/${decision}`);
const metrics = async () =>
  (await request<string>('GET', `${shop.url}/metrics`)).body
    .split('\n')
    .filter((line) => line.startsWith('fig_dead_letters'));

describe('an order whose payment is refused for good', () => {
  it('waits for an operator, who sees it without secrets, and is placed after a retry', async () => {
    const stuck = await place();
    expect(stuck).toMatchObject({ status: 503, body: { code: 'order_stuck' } });
    expect(stuck.headers['retry-after']).toBe('60');
    expect(service.requests).toBe(10);
    const { orderId } = stuck.body;
    const { body } = await shop.get('/dead-letters');
    expect(body).toEqual({
      counts: { event: 0, step: 1 },
      deadLetters: [
        {
          kind: 'step',
          id: `place:${orderId}`,
          what: 'place: charge',
          reason: expect.stringContaining('charge was answered 422'),
          attempts: 10,
          since: expect.any(Number),
        },
      ],
    });
    const one = await shop.get(`/dead-letters/step/${encodeURIComponent(`place:${orderId}`)}`);
    expect(one.body).toMatchObject({
      kind: 'step',
      details: { orderId, customerId: 'ALICE', method: '[redacted]' },
    });
    expect(JSON.stringify(one.body)).not.toMatch(/card_ok|the-key/);
    expect(await metrics()).toEqual([
      'fig_dead_letters{kind="event"} 0',
      'fig_dead_letters{kind="step"} 1',
    ]);
    // Whoever asks again is told at once, and changes nothing.
    expect(await place()).toMatchObject({ status: 503, body: { code: 'order_stuck', orderId } });
    expect(service.requests).toBe(10);
    service.answer = PAID;
    expect(await decide('retry', `place:${orderId}`)).toMatchObject({ status: 200 });
    const placed = await eventually<Answer<Record<string, unknown>>>(async () => {
      const answer = await place();
      expect(answer.status).toBe(201);
      return answer;
    });
    expect(placed.body).toMatchObject({ id: orderId, status: 'confirmed', paymentId: 'pay-1' });
    expect((await shop.get('/dead-letters')).body.counts).toEqual({ event: 0, step: 0 });
    expect(await decide('retry', `place:${orderId}`)).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
  });

  it('is rejected when the operator drops it, and gives its goods back', async () => {
    const { orderId } = (await place()).body;
    expect(await shop.stockOf('A')).toMatchObject({ reserved: 3 });
    expect(await decide('drop', `place:${orderId}`)).toMatchObject({ status: 200 });
    const end = await eventually<Answer<Record<string, unknown>>>(async () => {
      const answer = await place();
      expect(answer.status).toBe(409);
      return answer;
    });
    expect(end.body).toMatchObject({ code: 'order_given_up', orderId });
    expect((await shop.get(`/api/orders/${orderId}`)).body.status).toBe('rejected');
    expect(await shop.stockOf('A')).toMatchObject({ onHand: 100, reserved: 0 });
  });

  it('that is cancelled goes on to be so when the refund is dropped', async () => {
    service.answer = PAID;
    const { body: order } = await place();
    service.answer = { status: 404, body: { code: 'not_found' } };
    const cancel = () =>
      shop.post(`/api/orders/${order.id}/cancel`, undefined, { 'idempotency-key': 'cancel' });
    expect(await cancel()).toMatchObject({
      status: 503,
      body: { code: 'order_stuck', orderId: order.id },
    });
    const { deadLetters } = (await shop.get('/dead-letters?kind=step')).body;
    expect(deadLetters).toMatchObject([{ id: `cancel:${order.id}`, what: 'cancel: refund' }]);
    expect(await decide('drop', `cancel:${order.id}`)).toMatchObject({ status: 200 });
    expect(await cancel()).toMatchObject({ status: 200, body: { status: 'cancelled' } });
  });

  it('is no dead letter while its owner is only away', async () => {
    service.answer = AWAY;
    expect(await place()).toMatchObject({ status: 503, body: { code: 'order_pending' } });
    expect(service.requests).toBeGreaterThan(12);
    expect((await shop.get('/dead-letters')).body.deadLetters).toEqual([]);
  });

  it('is placed when a deployment that answered 404 for a while is put right', async () => {
    await shop.close();
    await open(60_000);
    service.answer = { status: 404, body: { code: 'not_found' } };
    expect(await place()).toMatchObject({ status: 503, body: { code: 'order_pending' } });
    expect(service.requests).toBeGreaterThan(12);
    expect((await shop.get('/dead-letters')).body.deadLetters).toEqual([]);
    service.answer = PAID;
    expect(await place()).toMatchObject({ status: 201, body: { status: 'confirmed' } });
  });

  it('is a dead letter no sooner than it was refused for long enough', async () => {
    await shop.close();
    // Longer than ten refusals take on a busy machine.
    await open(1_000);
    const before = performance.now();
    expect(await place()).toMatchObject({ status: 503, body: { code: 'order_stuck' } });
    expect(performance.now() - before).toBeGreaterThanOrEqual(1_000);
    expect(service.requests).toBeGreaterThan(10);
  });
});

describe('a step that fails by a mistake in a program', () => {
  const stuckWith = async () => {
    expect(await place()).toMatchObject({ status: 503, body: { code: 'order_stuck' } });
    const { deadLetters } = (await shop.get('/dead-letters')).body;
    expect(deadLetters).toHaveLength(1);
    const { what, attempts, reason } = deadLetters[0];
    expect(attempts).toBe(10);
    return `${what}: ${reason}`;
  };

  it.each([
    ['without what the contract says', { status: 201, body: {} }, /charge: .* 201 \{\}: id:/],
    ['with an id that is none', { status: 201, body: { id: '../1' } }, /charge: .*: id:/],
    ['that is no JSON', { status: 201, body: '<h1>It works!</h1>' }, /charge: .* 201 .*It works!/],
    ['with a status of its own', { status: 200, body: { id: 'pay-1' } }, /charge: .* 200/],
    ['by another program', { status: 404, body: '<h1>404</h1>' }, /charge: .* 404 .*<h1>404/],
    ['that redirects', { status: 302, body: '' }, /charge: .* 302/],
  ])('is a dead letter when it is answered %s', async (_what, answer, reason) => {
    service.answer = answer;
    expect(await stuckWith()).toMatch(reason);
  });

  it('is a dead letter when its own code throws', async () => {
    await shop.database.transaction((trx) =>
      trx.raw(`CREATE TRIGGER broken BEFORE INSERT ON INV_RSV
        BEGIN SELECT RAISE(ABORT, 'the module is broken'); END`),
    );
    expect(await stuckWith()).toMatch(/place: reserve: .*the module is broken/);
  });

  it('is a dead letter when the end of its order can not be recorded', async () => {
    service.answer = PAID;
    await shop.database.transaction((trx) =>
      trx.raw(`CREATE TRIGGER broken BEFORE UPDATE ON ORD_HDR
        BEGIN SELECT RAISE(ABORT, 'the order is broken'); END`),
    );
    expect(await stuckWith()).toMatch(/place: commit: .*the order is broken/);
    await shop.database.transaction((trx) => trx.raw('DROP TRIGGER broken'));
    const { deadLetters } = (await shop.get('/dead-letters')).body;
    expect(await decide('retry', deadLetters[0].id)).toMatchObject({ status: 200 });
    await eventually(async () => expect((await place()).status).toBe(201));
  });
});

describe('dead letters over HTTP', () => {
  it('names what it does not know', async () => {
    expect(await decide('drop', 'place:nothing')).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
    expect(await shop.get('/dead-letters/event/shipping:nothing')).toMatchObject({ status: 404 });
    for (const answer of [
      await decide('retry', 'x', 'change'),
      await decide('retry', 'x', 'constructor'),
      await shop.get('/dead-letters?kind=change'),
      await shop.get('/dead-letters?limit=1001'),
    ]) {
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    }
  });
});
