import { strict as assert } from 'node:assert';
import { Payment, PaymentHistory, PaymentPage } from '../payment.ts';
import type { PaymentMethod } from '../payment.ts';
import type { Api } from './api.ts';
import type { ContractCase } from './run.ts';

const area = 'payment';
const PAYMENTS = '/api/payments';

function paymentOf(orderId: string, method: PaymentMethod) {
  return { orderId, customerId: 'CT-CUSTOMER-1', amount: 1_234, currency: 'USD', method };
}

async function pay(api: Api, method: PaymentMethod, orderId: string): Promise<Payment> {
  const asked = paymentOf(orderId, method);
  const payment = (await api.post(PAYMENTS, asked)).is(201, Payment);
  const { id: _id, createdAt: _createdAt, ...facts } = payment;
  assert.deepEqual(facts, { ...asked, status: 'captured', refundedAmount: 0 });
  return payment;
}

export const paymentCases: readonly ContractCase[] = [
  ...(['card_ok', 'card_timeout', 'card_slow'] as const).map((method) => ({
    name: `${method} is captured, and shown as it was answered`,
    area: 'payment' as const,
    async run(api: Api) {
      const payment = await pay(api, method, api.fresh('order'));
      assert.deepEqual((await api.get(`${PAYMENTS}/${payment.id}`)).is(200, Payment), payment);
    },
  })),
  {
    name: 'card_declined is declined, is kept, and cannot be paid back',
    area,
    async run(api) {
      const key = api.key();
      const asked = paymentOf(api.fresh('order'), 'card_declined');
      const refused = (await api.post(PAYMENTS, asked, key)).isProblem('payment_declined');
      const again = await api.post(PAYMENTS, asked, key);
      assert.equal(again.isProblem('payment_declined')['paymentId'], refused['paymentId']);
      assert.equal(again.headers['idempotent-replayed'], 'true');
      const path = `${PAYMENTS}/${String(refused['paymentId'])}`;
      assert.equal((await api.get(path)).is(200, Payment).status, 'declined');
      const { entries } = (await api.get(`${path}/history`)).is(200, PaymentHistory);
      assert.deepEqual(
        entries.map(({ event }) => event),
        ['requested', 'declined'],
      );
      (await api.post(`${path}/refunds`)).isProblem('payment_not_captured');
    },
  },
  {
    name: 'a payment is paid back in part, then the rest, then no more',
    area,
    async run(api) {
      const payment = await pay(api, 'card_ok', api.fresh('order'));
      const path = `${PAYMENTS}/${payment.id}/refunds`;
      const part = (await api.post(path, { amount: 234 })).is(201, Payment);
      assert.deepEqual(part, { ...payment, status: 'partially_refunded', refundedAmount: 234 });
      (await api.post(path, { amount: 1_001 })).isProblem('refund_exceeds_payment');
      const rest = (await api.post(path)).is(201, Payment);
      assert.deepEqual(rest, { ...payment, status: 'refunded', refundedAmount: 1_234 });
      (await api.post(path)).isProblem('refund_exceeds_payment');
      (await api.post(path, { amount: 1 })).isProblem('refund_exceeds_payment');
      assert.deepEqual((await api.get(`${PAYMENTS}/${payment.id}`)).is(200, Payment), rest);
      const history = await api.get(`${PAYMENTS}/${payment.id}/history`);
      const { status, entries } = history.is(200, PaymentHistory);
      assert.deepEqual(
        [status, ...entries.map(({ event, amount }) => `${event} ${amount}`)],
        [
          'refunded',
          'requested 1234',
          'captured 1234',
          'refund_requested 234',
          'refunded 234',
          'refund_requested 1000',
          'refunded 1000',
        ],
      );
    },
  },
  {
    name: 'an empty refund body asks for all, under the same key as none',
    area,
    async run(api) {
      const payment = await pay(api, 'card_ok', api.fresh('order'));
      const path = `${PAYMENTS}/${payment.id}/refunds`;
      const key = api.key();
      const first = (await api.post(path, {}, key)).is(201, Payment);
      assert.equal(first.status, 'refunded');
      assert.deepEqual((await api.post(path, undefined, key)).is(201, Payment), first);
    },
  },
  {
    name: 'an unknown payment is not found',
    area,
    async run(api) {
      (await api.get(`${PAYMENTS}/unknown`)).isProblem('not_found');
      (await api.post(`${PAYMENTS}/unknown/refunds`, { amount: 1 })).isProblem('not_found');
    },
  },
  {
    name: 'the payments of an order are listed in pages, oldest first',
    area,
    async run(api) {
      const orderId = api.fresh('order');
      const first = await pay(api, 'card_ok', orderId);
      const second = await pay(api, 'card_ok', orderId);
      const third = await pay(api, 'card_ok', orderId);
      const path = `${PAYMENTS}?orderId=${orderId}`;
      const page = (await api.get(`${path}&limit=2`)).is(200, PaymentPage);
      assert.deepEqual(page.items, [first, second]);
      const cursor = encodeURIComponent(String(page.nextCursor));
      const last = (await api.get(`${path}&limit=2&cursor=${cursor}`)).is(200, PaymentPage);
      assert.deepEqual(last, { items: [third], nextCursor: null });
      // A cursor is good for the list that gave it out.
      const other = `${PAYMENTS}?orderId=${api.fresh('order')}`;
      (await api.get(`${other}&cursor=${cursor}`)).names('cursor');
      const none = (await api.get(other)).is(200, PaymentPage);
      assert.deepEqual(none, { items: [], nextCursor: null });
      (await api.get(PAYMENTS)).names('orderId');
      (await api.get(`${other}&customerId=x`)).names('customerId');
    },
  },
  {
    name: 'a payment says which field is wrong',
    area,
    async run(api) {
      const right = paymentOf(api.fresh('order'), 'card_ok');
      const wrong: Record<string, unknown[]> = {
        orderId: ['', '../x', 'x'.repeat(65), 7, null],
        customerId: ['', 'a b', null],
        amount: [0, -1, 1.5, '1', null, 2 ** 53],
        currency: ['JPY', 'usd', '', null],
        method: ['card_gold', '', null],
      };
      for (const [field, values] of Object.entries(wrong)) {
        for (const value of values) {
          (await api.post(PAYMENTS, { ...right, [field]: value })).names(field);
        }
      }
      (await api.post(PAYMENTS, { ...right, tip: 1 })).names('tip');
      const path = `${PAYMENTS}?orderId=${right.orderId}`;
      assert.deepEqual((await api.get(path)).is(200, PaymentPage).items, []);
    },
  },
  {
    name: 'a refund says which field is wrong',
    area,
    async run(api) {
      const payment = await pay(api, 'card_ok', api.fresh('order'));
      const path = `${PAYMENTS}/${payment.id}/refunds`;
      for (const amount of [0, -1, 1.5, '1', null]) {
        (await api.post(path, { amount })).names('amount');
      }
      (await api.post(path, { reason: 'x' })).names('reason');
      assert.deepEqual((await api.get(`${PAYMENTS}/${payment.id}`)).is(200, Payment), payment);
    },
  },
];
