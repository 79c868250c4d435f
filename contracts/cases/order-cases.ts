import { strict as assert } from 'node:assert';
import { Product, ProductPage } from '../catalogue.ts';
import { Reservation, StockLevel } from '../inventory.ts';
import { Order, OrderHistory, OrderPage } from '../orders.ts';
import { Payment } from '../payment.ts';
import type { PaymentMethod } from '../payment.ts';
import type { Api } from './api.ts';
import type { ContractCase } from './run.ts';
import { WORLD } from './world.ts';

const area = 'orders';
const ORDERS = '/api/orders';

function orderOf(
  lines: Readonly<Record<string, number>>,
  paymentMethod: PaymentMethod = 'card_ok',
) {
  const items = Object.entries(lines).map(([sku, quantity]) => ({ sku, quantity }));
  return { customerId: 'CT-CUSTOMER-1', items, paymentMethod };
}

async function onHand(api: Api, sku: string): Promise<number> {
  const level = (await api.get(`/api/inventory/${sku}`)).is(200, StockLevel);
  assert.equal(level.reserved, 0);
  return level.onHand;
}

export const catalogueCases: readonly ContractCase[] = [
  {
    name: 'a product is shown, and an unknown one is not found',
    area: 'catalogue',
    async run(api) {
      const [{ sku, name, unitPrice }] = WORLD.products.slice(0, 1) as [
        (typeof WORLD.products)[number],
      ];
      const product = (await api.get(`/api/products/${sku}`)).is(200, Product);
      assert.deepEqual(product, { sku, name, price: unitPrice });
      (await api.get('/api/products/CT-UNKNOWN')).isProblem('not_found');
    },
  },
  {
    name: 'products are listed in pages, in the order of the SKUs',
    area: 'catalogue',
    async run(api) {
      const first = (await api.get('/api/products?limit=2')).is(200, ProductPage);
      const cursor = encodeURIComponent(String(first.nextCursor));
      const path = `/api/products?limit=1&cursor=${cursor}`;
      const second = (await api.get(path)).is(200, ProductPage);
      assert.deepEqual(
        [...first.items, ...second.items].map(({ sku }) => sku),
        ['CT-01', 'CT-02', 'CT-03'],
      );
      (await api.get('/api/products?limit=0')).names('limit');
      // The cursor of one list is none of another.
      (await api.get(`${ORDERS}?customerId=CT-CUSTOMER-1&cursor=${cursor}`)).names('cursor');
    },
  },
];

export const orderCases: readonly ContractCase[] = [
  {
    name: 'an order is confirmed, charged and taken from stock, and cancelled the other way round',
    area,
    async run(api) {
      await api.arrangeStock({ 'CT-22': 10, 'CT-23': 10 });
      const order = (await api.post(ORDERS, orderOf({ 'CT-23': 1, 'CT-22': 3 }))).is(201, Order);
      assert.equal(order.status, 'confirmed');
      const total = order.items.reduce(
        (sum, { quantity, unitPrice }) => sum + quantity * unitPrice.amount,
        0,
      );
      assert.deepEqual(order.total, { amount: total, currency: 'USD' });
      assert.deepEqual((await api.get(`${ORDERS}/${order.id}`)).is(200, Order), order);
      assert.equal(await onHand(api, 'CT-22'), 7);
      const payment = `/api/payments/${String(order.paymentId)}`;
      const charged = (await api.get(payment)).is(200, Payment);
      assert.deepEqual([charged.amount, charged.status], [total, 'captured']);
      const reservation = `/api/inventory/reservations/${String(order.reservationId)}`;
      assert.equal((await api.get(reservation)).is(200, Reservation).status, 'committed');
      for (const _again of [1, 2]) {
        const answer = await api.post(`${ORDERS}/${order.id}/cancel`);
        if (_again === 1) assert.equal(answer.is(200, Order).status, 'cancelled');
        else answer.isProblem('order_not_cancellable');
      }
      assert.equal(await onHand(api, 'CT-22'), 10);
      assert.equal((await api.get(payment)).is(200, Payment).status, 'refunded');
      const history = (await api.get(`${ORDERS}/${order.id}/history`)).is(200, OrderHistory);
      assert.equal(history.status, 'cancelled');
      assert.equal(history.entries.at(-1)?.event, 'cancelled');
    },
  },
  {
    name: 'an order that cannot be filled names the SKUs and takes nothing',
    area,
    async run(api) {
      await api.arrangeStock({ 'CT-22': 10, 'CT-23': 1 });
      const refused = await api.post(ORDERS, orderOf({ 'CT-22': 1, 'CT-23': 2 }));
      const problem = refused.isProblem('out_of_stock');
      assert.deepEqual(problem['skus'], ['CT-23']);
      const order = (await api.get(`${ORDERS}/${String(problem['orderId'])}`)).is(200, Order);
      assert.deepEqual([order.status, order.paymentId], ['rejected', null]);
      assert.equal(await onHand(api, 'CT-22'), 10);
    },
  },
  {
    name: 'an order whose card is declined gives its goods back',
    area,
    async run(api) {
      await api.arrangeStock({ 'CT-22': 10 });
      const refused = await api.post(ORDERS, orderOf({ 'CT-22': 1 }, 'card_declined'));
      const problem = refused.isProblem('payment_declined');
      const order = (await api.get(`${ORDERS}/${String(problem['orderId'])}`)).is(200, Order);
      assert.equal(order.status, 'payment_declined');
      assert.equal(await onHand(api, 'CT-22'), 10);
      (await api.post(`${ORDERS}/${order.id}/cancel`)).isProblem('order_not_cancellable');
    },
  },
  {
    name: 'an order with a card that times out is charged once',
    area,
    async run(api) {
      await api.arrangeStock({ 'CT-22': 10 });
      const key = api.key();
      const asked = orderOf({ 'CT-22': 2 }, 'card_timeout');
      const order = (await api.post(ORDERS, asked, key)).is(201, Order);
      const again = await api.post(ORDERS, asked, key);
      assert.deepEqual(again.is(201, Order), order);
      assert.equal(again.headers['idempotent-replayed'], 'true');
      (await api.post(ORDERS, orderOf({ 'CT-22': 1 }), key)).isProblem('idempotency_key_reused');
      assert.equal(await onHand(api, 'CT-22'), 8);
    },
  },
  {
    name: 'an order says what is unknown, and which field is wrong',
    area,
    async run(api) {
      const right = orderOf({ 'CT-24': 1 });
      const unknown = await api.post(ORDERS, orderOf({ 'CT-24': 1, 'CT-UNKNOWN': 1 }));
      const { errors } = unknown.isProblem('unknown_sku') as { errors: { field: string }[] };
      assert.equal(errors[0]?.field, 'items.1.sku');
      (await api.post(ORDERS, { ...right, customerId: 'CT-NOBODY' })).isProblem('unknown_customer');
      const sameTwice = [...right.items, ...right.items];
      (await api.post(ORDERS, { ...right, items: sameTwice })).names('items.1.sku');
      (await api.post(ORDERS, { ...right, items: [] })).names('items');
      (await api.post(ORDERS, { ...right, paymentMethod: 'cash' })).names('paymentMethod');
      (await api.post(ORDERS, { ...right, note: 'x' })).names('note');
      (await api.get(`${ORDERS}/unknown`)).isProblem('not_found');
      (await api.post(`${ORDERS}/unknown/cancel`)).isProblem('not_found');
      (await api.get(`${ORDERS}/unknown/shipment`)).isProblem('not_found');
      assert.equal(await onHand(api, 'CT-24'), 100);
    },
  },
  {
    name: 'the orders of a customer are listed in pages',
    area,
    async run(api) {
      const page = (await api.get(`${ORDERS}?customerId=CT-CUSTOMER-2`)).is(200, OrderPage);
      assert.equal(page.nextCursor, null);
      const nobody = (await api.get(`${ORDERS}?customerId=CT-NOBODY`)).is(200, OrderPage);
      assert.deepEqual(nobody.items, []);
      (await api.get(ORDERS)).names('customerId');
      (await api.get(`${ORDERS}?customerId=CT-CUSTOMER-2&limit=0`)).names('limit');
    },
  },
];
