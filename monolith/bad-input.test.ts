import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { request as send } from 'undici';
import { request } from '../tests/support/index.ts';
import { openShop } from '../tests/support/shop.ts';
import type { Shop } from '../tests/support/shop.ts';

let shop: Shop;
const TABLES = ['ORD_HDR', 'ORD_SAGA', 'INV_RSV', 'INV_ADJ', 'PAY_TXN', 'PAY_RFND', 'event_outbox'];
const KEYS = ['ORD_IDEM', 'INV_IDEM', 'PAY_IDEM'];
const empty = Object.fromEntries([...TABLES, ...KEYS].map((table) => [table, 0]));

beforeAll(async () => {
  shop = await openShop();
});

afterAll(async () => {
  await shop.close();
});

const line = { sku: 'A', quantity: 1 };
const order = { customerId: 'ALICE', items: [line], paymentMethod: 'card_ok' };
const charge = { orderId: 'o', customerId: 'ALICE', amount: 1, currency: 'USD', method: 'card_ok' };

describe('bad input is refused, its field named, and nothing is stored', () => {
  it.each([
    ['an unknown field', 400, '/api/orders', { ...order, coupon: 'X' }, 'coupon'],
    [
      'a negative quantity',
      400,
      '/api/orders',
      { ...order, items: [{ ...line, quantity: -1 }] },
      'items.0.quantity',
    ],
    [
      'a fraction',
      400,
      '/api/orders',
      { ...order, items: [{ ...line, quantity: 0.5 }] },
      'items.0.quantity',
    ],
    [
      'a text for a number',
      400,
      '/api/orders',
      { ...order, items: [{ ...line, quantity: '1' }] },
      'items.0.quantity',
    ],
    ['a SKU twice', 400, '/api/orders', { ...order, items: [line, line] }, 'items.1.sku'],
    ['no lines', 400, '/api/orders', { ...order, items: [] }, 'items'],
    ['an unknown card', 400, '/api/orders', { ...order, paymentMethod: 'cash' }, 'paymentMethod'],
    [
      'an unknown SKU',
      422,
      '/api/orders',
      { ...order, items: [line, { sku: 'Z', quantity: 1 }] },
      'items.1.sku',
    ],
    ['an unknown customer', 422, '/api/orders', { ...order, customerId: 'NOBODY' }, 'customerId'],
    [
      'two currencies',
      400,
      '/api/orders',
      { ...order, items: [line, { sku: 'E', quantity: 1 }] },
      'items.1.sku',
    ],
    ['a list for an object', 400, '/api/orders', [], 'body'],
    ['no body', 400, '/api/orders', undefined, 'customerId'],
    ['a wrong currency', 400, '/api/payments', { ...charge, currency: 'XXX' }, 'currency'],
    ['a fraction of a cent', 400, '/api/payments', { ...charge, amount: 0.5 }, 'amount'],
    ['no amount', 400, '/api/payments', { ...charge, amount: 0 }, 'amount'],
    ['a refund of nothing', 400, '/api/payments/p/refunds', { amount: 0 }, 'amount'],
    [
      'an unknown SKU',
      422,
      '/api/inventory/reservations',
      { orderId: 'o', items: [{ sku: 'Z', quantity: 1 }] },
      'items.0.sku',
    ],
    [
      'a change of nothing',
      400,
      '/api/inventory/A/adjustments',
      { delta: 0, reason: 'r' },
      'delta',
    ],
    ['no reason', 400, '/api/inventory/A/adjustments', { delta: 1, reason: '' }, 'reason'],
  ])('%s: %d %s', async (_case, status, path, body, field) => {
    const answer = await shop.post(path, body, { 'idempotency-key': 'bad' });
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
    expect(answer.body.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(await shop.count(...TABLES, ...KEYS)).toEqual(empty);
  });

  it.each([
    ['malformed JSON', '{"customerId": "ALICE",', 400, 'malformed_json'],
    [
      'half a surrogate pair',
      JSON.stringify({ ...order, customerId: 'A\uD800' }),
      400,
      'malformed_json',
    ],
    [
      'a body over 1 MB',
      JSON.stringify({ ...order, note: 'x'.repeat(1_000_001) }),
      413,
      'body_too_large',
    ],
  ])('%s', async (_case, text, status, code) => {
    const answer = await request<{ code: string }>('POST', `${shop.url}/api/orders`, { text });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(await shop.count(...TABLES, ...KEYS)).toEqual(empty);
  });

  it.each([
    ['gzip', Buffer.from('none')],
    ['gzip', gzipSync(JSON.stringify(order)).subarray(0, 30)],
    ['deflate', Buffer.from('none')],
    ['br', Buffer.from('none')],
  ])('a body that is no %s, or half of one', async (coding, body) => {
    const answer = await send(`${shop.url}/api/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': coding },
      body,
    });
    expect(await answer.body.json()).toMatchObject({ status: 400, code: 'malformed_json' });
    expect(await shop.count(...TABLES, ...KEYS)).toEqual(empty);
  });

  it.each([
    ['unknown fields', (n: number) => [`field${n}`, 1]],
    ['fields with long names', (n: number) => [`${n}${'x'.repeat(20_000)}`, 1]],
    ['lines that are none', undefined],
  ])('a megabyte of %s gets an answer that a person can read', async (_case, field) => {
    const count = field?.(1)[0]?.toString().startsWith('field') ? 60_000 : 45;
    const body =
      field === undefined
        ? { ...order, items: Array.from({ length: 200_000 }, () => 1) }
        : {
            ...order,
            ...Object.fromEntries(Array.from({ length: count }, (_none, n) => field(n))),
          };
    const text = JSON.stringify(body);
    expect(text.length).toBeGreaterThan(400_000);
    const answer = await request('POST', `${shop.url}/api/orders`, { text });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'invalid_request' });
    expect(JSON.stringify(answer.body).length).toBeLessThan(40_000);
  });

  it('a key that is no key', async () => {
    const answer = await shop.post('/api/orders', order, { 'idempotency-key': 'a b' });
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, 'Idempotency-Key']);
  });
});

describe('bad questions', () => {
  it.each([
    ['/api/products?cursor=made-up', 'cursor'],
    ['/api/products?limit=0', 'limit'],
    ['/api/products?limit=1&limit=2', 'limit'],
    ['/api/products?sort=price', 'sort'],
    ['/api/inventory?cursor=made-up', 'cursor'],
    ['/api/orders', 'customerId'],
    ['/api/payments', 'orderId'],
    ['/api/payments?orderId=o&cursor=made-up', 'cursor'],
  ])('%s', async (path, field) => {
    const { status, body } = await shop.get(path);
    expect([status, body.code, body.errors[0].field]).toEqual([400, 'invalid_request', field]);
  });

  it('a cursor of another list', async () => {
    const { body } = await shop.get('/api/products?limit=1');
    expect((await shop.get(`/api/products?limit=1&cursor=${body.nextCursor}`)).status).toBe(200);
    expect((await shop.get(`/api/inventory?limit=1&cursor=${body.nextCursor}`)).status).toBe(400);
  });

  it('what is not there', async () => {
    const things = [
      'products/Z',
      'inventory/Z',
      'inventory/reservations/z',
      'payments/z',
      'orders/z',
    ];
    for (const thing of things) {
      const { status, body } = await shop.get(`/api/${thing}`);
      expect([thing, status, body.code]).toEqual([thing, 404, 'not_found']);
    }
    expect((await shop.get('/api/nothing')).body.code).toBe('no_such_route');
    expect((await shop.get('/api/products/%E0%A4%A')).status).toBe(400);
  });

  it('a method that a path does not take', async () => {
    const { status, headers } = await request('DELETE', `${shop.url}/api/orders`);
    expect([status, headers['allow']]).toEqual([405, 'GET, POST']);
  });
});
