import { describe, expect, it } from '@jest/globals';
import { eventually, request } from '../support/index.ts';
import { json, withStand } from './stand.ts';

describe('the way of a request', () => {
  it('goes to the monolith unless it belongs to a capability', () =>
    withStand({}, async ({ url, monolith, legacy }) => {
      expect((await request('GET', `${url}/anything?a=b`)).body).toEqual({ from: 'monolith' });
      expect(monolith.received[0]?.url).toBe('/anything?a=b');
      expect((await request('GET', `${url}/api/stock/A1`)).body).toEqual({ from: 'legacy' });
      expect((await request('GET', `${url}/api/stock-admin`)).body).toEqual({ from: 'monolith' });
      expect((await request('GET', `${url}/api/stockpile`)).body).toEqual({ from: 'monolith' });
      expect((await request('GET', `${url}/API/Stock/`)).body).toEqual({ from: 'legacy' });
      expect((await request('GET', `${url}/api/%73tock`)).body).toEqual({ from: 'legacy' });
      expect(legacy.received.map((each) => each.url)).toEqual([
        '/api/stock/A1',
        '/API/Stock/',
        '/api/stock',
      ]);
    }));

  it('takes a share of customers to the other side, and always the same', () =>
    withStand({}, async ({ url, flags }) => {
      const sideOf = async (customer: string): Promise<string> => {
        const headers = { 'x-customer-id': customer };
        const answer = await request<{ from: string }>('GET', `${url}/api/stock/A1`, { headers });
        return answer.body.from;
      };
      await flags({ 'stock.reads': 100 });
      await eventually(async () => (await sideOf('anyone')) === 'extracted');
      await flags({ 'stock.reads': 50 });
      const customers = Array.from({ length: 200 }, (_, index) => `C${index}`);
      await eventually(async () => {
        const sides = await Promise.all(customers.map(sideOf));
        expect(sides).toContain('legacy');
      });
      const first = await Promise.all(customers.map(sideOf));
      const second = await Promise.all(customers.map(sideOf));
      expect(second).toEqual(first);
      const share = first.filter((side) => side === 'extracted').length;
      expect(share).toBeGreaterThan(60);
      expect(share).toBeLessThan(140);
    }));

  it('stays with the owner where nobody says who asks', () =>
    withStand({}, async ({ url, flags }) => {
      await flags({ 'stock.reads': 100 });
      const headers = { 'x-customer-id': 'C1' };
      await eventually(
        async () =>
          (await request<{ from: string }>('GET', `${url}/api/stock`, { headers })).body.from ===
          'extracted',
      );
      expect((await request('GET', `${url}/api/stock`)).body).toEqual({ from: 'legacy' });
    }));

  it('falls back to the owner when the other side is away', () =>
    withStand({}, async ({ url, flags, extracted }) => {
      await flags({ 'stock.reads': 100 });
      const headers = { 'x-customer-id': 'C1' };
      const read = (): Promise<{ body: unknown }> =>
        request('GET', `${url}/api/stock`, { headers });
      await eventually(async () => expect((await read()).body).toEqual({ from: 'extracted' }));
      await extracted.close();
      expect((await read()).body).toEqual({ from: 'legacy' });
    }));

  it('gives a write a key and an attempt id, and keeps the key it came with', () =>
    withStand({}, async ({ url, legacy, monolith }) => {
      legacy.answer = (_req, res, body) => json(res, 201, { got: body });
      const answer = await request('POST', `${url}/api/stock`, { body: { sku: 'A1' } });
      expect(answer).toMatchObject({ status: 201, body: { got: '{"sku":"A1"}' } });
      expect(legacy.received[0]?.headers).toMatchObject({
        'idempotency-key': expect.stringMatching(/^[0-9a-f-]{36}$/),
        'x-fig-attempt': expect.stringMatching(/^[0-9a-f]{32}$/),
        'content-length': '12',
      });
      const headers = { 'idempotency-key': 'mine' };
      await request('POST', `${url}/api/orders`, { body: {}, headers });
      expect(monolith.received[0]?.headers).toMatchObject({
        'idempotency-key': 'mine',
        'x-fig-attempt': expect.any(String),
      });
      await request('POST', `${url}/elsewhere`, { body: {} });
      expect(monolith.received[1]?.headers).not.toHaveProperty('idempotency-key');
      expect(monolith.received[1]?.headers).not.toHaveProperty('x-fig-attempt');
    }));
});

describe('the operator', () => {
  it('sees whether the facade can serve, what it believes, and its metrics', () =>
    withStand({}, async ({ url, adminUrl, monolith }) => {
      await request('GET', `${url}/api/stock`);
      expect((await request('GET', `${adminUrl}/livez`)).status).toBe(200);
      expect((await request('GET', `${adminUrl}/readyz`)).status).toBe(200);
      const status = await request('GET', `${adminUrl}/status`);
      expect(status.body).toMatchObject({
        capabilities: [{ name: 'stock', owner: 'legacy', epoch: 1, flags: { reads: 0 } }],
        requests: [{ capability: 'stock', side: 'legacy', status: 200, count: 1 }],
      });
      const metrics = String((await request('GET', `${adminUrl}/metrics`)).body);
      expect(metrics).toContain(
        'fig_requests_total{capability="stock",side="legacy",status="200"} 1',
      );
      expect(metrics).toContain('fig_request_duration_seconds_count');
      await monolith.close();
      expect((await request('GET', `${adminUrl}/readyz`)).status).toBe(503);
    }));
});
