import { strict as assert } from 'node:assert';
import { HEADERS } from '../headers.ts';
import { Adjustment, Reservation } from '../inventory.ts';
import { Payment } from '../payment.ts';
import type { CheckedAnswer } from './answer.ts';
import type { ContractCase } from './run.ts';

function isReplayOf(answer: CheckedAnswer, first: CheckedAnswer): void {
  assert.equal(answer.headers[HEADERS.replayed], 'true');
  assert.equal(first.headers[HEADERS.replayed], undefined);
  const { traceId: _own, ...facts } = answer.body as Record<string, unknown>;
  const { traceId: _first, ...firstFacts } = first.body as Record<string, unknown>;
  assert.deepEqual([answer.status, facts], [first.status, firstFacts]);
}

export const idempotencyCases: readonly ContractCase[] = [
  {
    name: 'the same key and body adjust once, another body is refused',
    area: 'inventory',
    async run(api) {
      await api.arrangeStock({ 'CT-17': 10 });
      const path = '/api/inventory/CT-17/adjustments';
      const key = api.key();
      const first = await api.post(path, { delta: 3, reason: 'delivery' }, key);
      assert.equal(first.is(201, Adjustment).stock.onHand, 13);
      // The order of members does not make it another request.
      isReplayOf(await api.post(path, { reason: 'delivery', delta: 3 }, key), first);
      (await api.post(path, { delta: 4, reason: 'delivery' }, key)).isProblem(
        'idempotency_key_reused',
      );
      const elsewhere = '/api/inventory/CT-18/adjustments';
      (await api.post(elsewhere, { delta: 3, reason: 'delivery' }, key)).isProblem(
        'idempotency_key_reused',
      );
    },
  },
  {
    name: 'a refusal is given again under its key, also when it would be granted now',
    area: 'inventory',
    async run(api) {
      await api.arrangeStock({ 'CT-19': 0 });
      const key = api.key();
      const body = { orderId: api.fresh('order'), items: [{ sku: 'CT-19', quantity: 1 }] };
      const path = '/api/inventory/reservations';
      const first = await api.post(path, body, key);
      first.isProblem('out_of_stock');
      await api.arrangeStock({ 'CT-19': 5 });
      const again = await api.post(path, body, key);
      again.isProblem('out_of_stock');
      isReplayOf(again, first);
      const granted = (await api.post(path, body)).is(201, Reservation);
      const commit = api.key();
      const done = await api.post(`${path}/${granted.id}/commit`, undefined, commit);
      assert.equal(done.is(200, Reservation).status, 'committed');
      isReplayOf(await api.post(`${path}/${granted.id}/commit`, undefined, commit), done);
    },
  },
  {
    name: 'two at once with one key make one reservation',
    area: 'inventory',
    async run(api) {
      await api.arrangeStock({ 'CT-20': 5 });
      const body = { orderId: api.fresh('order'), items: [{ sku: 'CT-20', quantity: 2 }] };
      const answers = await api.postTwice('/api/inventory/reservations', body, api.key());
      const ids = answers.map((answer) => answer.is(201, Reservation).id);
      assert.equal(ids[0], ids[1]);
      const path = `/api/inventory/reservations/${ids[0] ?? ''}/release`;
      (await api.post(path)).is(200, Reservation);
    },
  },
  {
    name: 'a key that is no key is refused',
    area: 'inventory',
    async run(api) {
      const path = '/api/inventory/CT-18/adjustments';
      for (const key of ['with spaces', 'x'.repeat(256)]) {
        const headers = { [HEADERS.idempotencyKey]: key };
        (await api.post(path, { delta: 1, reason: 'delivery' }, headers)).names('Idempotency-Key');
      }
    },
  },
  {
    name: 'a charge under way answers 409 to its own key, and the outcome is given again',
    area: 'payment',
    async run(api) {
      const key = api.key();
      const body = {
        orderId: api.fresh('order'),
        customerId: 'CT-CUSTOMER-1',
        amount: 500,
        currency: 'EUR',
        method: 'card_slow',
      };
      const [done, underWay] = await api.postTwice('/api/payments', body, key);
      assert.ok(done && underWay);
      const payment = done.is(201, Payment);
      underWay.isProblem('request_in_flight');
      assert.equal(underWay.headers[HEADERS.retryAfter], '1');
      isReplayOf(await api.post('/api/payments', body, key), done);
      (await api.post('/api/payments', { ...body, amount: 501 }, key)).isProblem(
        'idempotency_key_reused',
      );
      const refundKey = api.key();
      const path = `/api/payments/${payment.id}/refunds`;
      const refunded = await api.post(path, { amount: 200 }, refundKey);
      assert.equal(refunded.is(201, Payment).refundedAmount, 200);
      isReplayOf(await api.post(path, { amount: 200 }, refundKey), refunded);
    },
  },
];
