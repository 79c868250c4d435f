import { strict as assert } from 'node:assert';
import { StockLevel } from '../inventory.ts';
import { Product } from '../catalogue.ts';
import type { ContractCase } from './run.ts';
import type { Area } from './target.ts';

interface Paths {
  /** Takes POST with a JSON object. */
  readonly post: string;
  /** Takes GET only. */
  readonly get: string;
  readonly allow: string;
}

const PATHS: Readonly<Partial<Record<Area, Paths>>> = {
  inventory: {
    post: '/api/inventory/reservations',
    get: '/api/inventory/CT-21',
    allow: 'POST',
  },
  payment: { post: '/api/payments', get: '/api/payments/unknown', allow: 'GET, POST' },
  orders: { post: '/api/orders', get: '/api/orders/unknown', allow: 'GET, POST' },
};

function casesOf(area: Area, { post, get, allow }: Paths): ContractCase[] {
  return [
    {
      name: `${area}: a body that is not a JSON object is refused`,
      area,
      async run(api) {
        for (const text of ['{', '{"orderId": }', 'null', '"text"', '7']) {
          (await api.post(post, text)).isProblem('malformed_json');
        }
        assert.equal((await api.post(post, [])).isProblem('invalid_request')['status'], 400);
        assert.equal((await api.post(post)).isProblem('invalid_request')['status'], 400);
      },
    },
    {
      name: `${area}: a body over 1 MB is refused`,
      area,
      async run(api) {
        (await api.post(post, { orderId: 'x'.repeat(1_000_001) })).isProblem('body_too_large');
      },
    },
    {
      name: `${area}: a path says which methods it takes`,
      area,
      async run(api) {
        const onCollection = await api.send('DELETE', post);
        onCollection.isProblem('method_not_allowed');
        assert.equal(onCollection.headers['allow'], allow);
        const onThing = await api.send('PUT', get, {});
        onThing.isProblem('method_not_allowed');
        assert.equal(onThing.headers['allow'], 'GET');
      },
    },
    {
      name: `${area}: a path that nothing is served at is no route`,
      area,
      async run(api) {
        (await api.get(`${get}/nothing/here`)).isProblem('no_such_route');
      },
    },
    {
      name: `${area}: the caller's trace goes on`,
      area,
      async run(api) {
        const traceId = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';
        const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
        const answer = await api.post(post, { unknown: 1 }, headers);
        assert.equal(answer.isProblem('invalid_request')['traceId'], traceId);
      },
    },
  ];
}

export const protocolCases: readonly ContractCase[] = [
  ...Object.entries(PATHS).flatMap(([area, paths]) => casesOf(area as Area, paths)),
  {
    name: 'names in paths are decoded once',
    area: 'inventory',
    async run(api) {
      await api.arrangeStock({ 'CT-21': 9 });
      const encoded = (await api.get('/api/inventory/%43T-21')).is(200, StockLevel);
      assert.equal(encoded.onHand, 9);
      (await api.get('/api/inventory/%2543T-21')).isProblem('not_found');
      (await api.get('/api/inventory/%zz')).isProblem('invalid_path');
    },
  },
  {
    name: 'names in paths are decoded once, in the catalogue too',
    area: 'catalogue',
    async run(api) {
      const product = (await api.get('/api/products/%43T-21')).is(200, Product);
      assert.equal(product.sku, 'CT-21');
    },
  },
];
