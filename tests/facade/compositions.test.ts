import { describe, expect, it } from '@jest/globals';
import { defineConfig } from '../../routing/index.ts';
import type { FigConfigInput } from '../../routing/index.ts';
import { eventually, request } from '../support/index.ts';
import { json, silence, withStand } from './stand.ts';
import type { Stand } from './stand.ts';
import { STOCK } from './stock.ts';

type Composition = NonNullable<NonNullable<FigConfigInput['gateway']>['compositions']>[number];

const DETAILS: Composition = {
  path: '/orders/:id/details',
  deadlineMs: 2_000,
  parts: {
    order: { path: '/orders/{id}', required: true },
    stock: { path: '/api/stock/{order.sku}' },
    notes: { path: '/notes?order={id}' },
  },
};

interface Whole {
  readonly partial: boolean;
  readonly parts: Record<string, { status: number; body?: unknown; problem?: { code?: string } }>;
}

function withDetails(
  use: (stand: Stand, details: (query?: string) => ReturnType<typeof ask>) => Promise<void>,
  composition: Composition = DETAILS,
): Promise<void> {
  return withStand({ config: { gateway: { compositions: [composition] } } }, async (stand) => {
    stand.monolith.answer = (req, res) => {
      const url = req.url ?? '';
      if (url === '/orders/A%20B') json(res, 200, { id: 'A B', sku: 'S 1', total: { amount: 5 } });
      else if (url.startsWith('/notes')) json(res, 200, { items: [{ text: 'hi', by: 'x' }] });
      else json(res, 404, { code: 'not_found', status: 404, detail: `no ${url}` });
    };
    stand.legacy.answer = (_req, res) => json(res, 200, { from: 'legacy' });
    await use(stand, (query = '') => ask(stand, `/orders/A%20B/details${query}`));
  });
}

function ask({ url }: Stand, path: string, method = 'GET') {
  return request<Whole>(method, url + path);
}

describe('a composition', () => {
  it('answers with what each owner answers, asked at once', () =>
    withDetails(async (stand, details) => {
      const { status, body } = await details();
      expect(status).toBe(200);
      expect(body).toEqual({
        partial: false,
        parts: {
          order: { status: 200, body: { id: 'A B', sku: 'S 1', total: { amount: 5 } } },
          stock: { status: 200, body: { from: 'legacy' } },
          notes: { status: 200, body: { items: [{ text: 'hi', by: 'x' }] } },
        },
      });
      expect(stand.legacy.received.map(({ url }) => url)).toEqual(['/api/stock/S%201']);
      expect(stand.monolith.received.map(({ url }) => url).sort()).toEqual([
        '/notes?order=A%20B',
        '/orders/A%20B',
      ]);
    }));

  it('takes each part from the side that the flags and owners say', () =>
    withDetails(async (stand) => {
      await stand.flags({ 'stock.reads': 100 });
      await eventually(async () => {
        const { body } = await request<Whole>('GET', `${stand.url}/orders/A%20B/details`, {
          headers: { 'x-customer-id': 'CORK' },
        });
        expect(body.parts['stock']?.body).toEqual({ from: 'extracted' });
      });
    }));

  it('names a part that is down, and answers with the rest', () =>
    withDetails(async (stand, details) => {
      await stand.legacy.close();
      const { status, body } = await details();
      expect([status, body.partial]).toEqual([200, true]);
      expect(body.parts['order']?.status).toBe(200);
      expect(body.parts['stock']).toMatchObject({
        status: 502,
        problem: { code: 'upstream_unavailable' },
      });
    }));

  it('names a part whose path the facade refuses', () =>
    withDetails(async (stand, details) => {
      stand.monolith.answer = (_req, res) => json(res, 200, { id: '1', sku: 'S/1' });
      const { status, body } = await details();
      expect([status, body.parts['stock']]).toMatchObject([
        200,
        { status: 400, problem: { code: 'invalid_path' } },
      ]);
    }));

  it('leaves out what comes too late, and lets its server go', () =>
    withDetails(
      async (stand, details) => {
        const isLeft = silence(stand.legacy);
        const { status, body } = await details();
        expect([status, body.partial]).toEqual([200, true]);
        expect(body.parts['stock']).toMatchObject({
          status: 504,
          problem: { code: 'upstream_timeout' },
        });
        expect(body.parts['notes']?.status).toBe(200);
        await eventually(isLeft);
      },
      { ...DETAILS, deadlineMs: 300 },
    ));

  it('refuses as a required part does, and is a bad gateway where that fails', () =>
    withDetails(async (stand, details) => {
      const unknown = await ask(stand, '/orders/none/details');
      expect(unknown).toMatchObject({ status: 404, body: { code: 'not_found', part: 'order' } });
      stand.monolith.answer = (_req, res) => json(res, 500, { code: 'internal_error' });
      expect(await details()).toMatchObject({
        status: 502,
        body: { code: 'composition_failed', part: 'order' },
      });
      stand.monolith.answer = (_req, res) => {
        res.writeHead(200, { 'content-length': '100' });
        res.write('{"id":');
        setImmediate(() => res.destroy());
      };
      expect(await details()).toMatchObject({ status: 502, body: { code: 'composition_failed' } });
      stand.monolith.answer = (_req, res) => res.end('<html>');
      expect(await details()).toMatchObject({ status: 502, body: { code: 'composition_failed' } });
    }));

  it('keeps every digit of a number', () =>
    withDetails(async (stand) => {
      const text = '{"id":"1","sku":"x","total":12345678901234567890.10}';
      stand.monolith.answer = (_req, res) => res.end(text);
      const answer = await fetch(`${stand.url}/orders/1/details?include=order`);
      expect(await answer.text()).toContain('"total":12345678901234567890.10');
    }));

  it('gives the parts and fields that are asked for, and the required ones', () =>
    withDetails(async (stand, details) => {
      const { body } = await details('?include=notes&fields=notes.items.text,order.total.amount');
      expect(body.parts).toEqual({
        order: { status: 200, body: { total: { amount: 5 } } },
        notes: { status: 200, body: { items: [{ text: 'hi' }] } },
      });
      expect(stand.legacy.received).toEqual([]);
    }));

  it.each(['?include=invoice', '?fields=invoice.id', '?other=1'])('refuses %s', (query) =>
    withDetails(async (stand, details) => {
      expect(await details(query)).toMatchObject({
        status: 400,
        body: { code: 'invalid_request', errors: [{ remedy: expect.any(String) }] },
      });
      expect(stand.monolith.received).toEqual([]);
    }),
  );

  it('passes on who asks, and no condition or body of the whole', () =>
    withDetails(async (stand) => {
      await request('GET', `${stand.url}/orders/A%20B/details`, {
        headers: {
          'x-customer-id': 'CORK',
          'if-none-match': '"x"',
          range: 'bytes=0-1',
          cookie: 'a=b',
        },
      });
      for (const { headers } of [...stand.monolith.received, ...stand.legacy.received]) {
        expect(headers).toMatchObject({ 'x-customer-id': 'CORK', cookie: 'a=b' });
        expect(headers['if-none-match']).toBeUndefined();
        expect(headers.range).toBeUndefined();
      }
    }));

  it('answers HEAD without a body, and leaves other methods to the monolith', () =>
    withDetails(async (stand) => {
      const head = await fetch(`${stand.url}/orders/A%20B/details`, { method: 'HEAD' });
      expect([head.status, await head.text()]).toEqual([200, '']);
      expect((await ask(stand, '/orders/A%20B/details', 'DELETE')).status).toBe(404);
      expect(stand.monolith.received.at(-1)).toMatchObject({ method: 'DELETE' });
    }));

  it('stops asking when its client leaves', () =>
    withDetails(async (stand) => {
      const isLeft = silence(stand.legacy);
      const leave = new AbortController();
      const asked = fetch(`${stand.url}/orders/A%20B/details`, { signal: leave.signal });
      await eventually(() => stand.legacy.received.length === 1);
      leave.abort();
      await expect(asked).rejects.toThrow('abort');
      await eventually(isLeft);
    }));
});

describe('the configuration of a composition', () => {
  const define = (composition: Composition) => () =>
    defineConfig({
      upstreams: {
        monolith: 'http://127.0.0.1:1',
        legacy: 'http://127.0.0.1:2',
        extracted: 'http://127.0.0.1:3',
      },
      monolith: 'monolith',
      capabilities: { stock: STOCK },
      gateway: { compositions: [composition] },
    });

  it.each<[string, Composition['parts'], string]>([
    ['a name that its path does not have', { a: { path: '/x/{no}' } }, '{no} is neither'],
    ['a part that there is not', { a: { path: '/x/{b.id}' } }, '{b.id} is neither'],
    [
      'parts that wait for each other',
      { a: { path: '/{b.x}' }, b: { path: '/{a.x}' } },
      'it waits for',
    ],
    [
      'a part as system that a caller names',
      { a: { path: '/x/{id}', asSystem: true } },
      'asSystem',
    ],
  ])('refuses %s', (_name, parts, reason) => {
    expect(define({ path: '/orders/:id/details', parts })).toThrow(reason);
  });
});
