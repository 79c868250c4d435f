import { describe, expect, it } from '@jest/globals';
import { eventually, request } from '../support/index.ts';
import { fenced, json, routingState, withStand } from './stand.ts';

const TOKEN = 'for-operators-only-1';

describe('Server-Timing', () => {
  const config = { timingToken: TOKEN };

  it('tells whoever has the token, and nobody else, where the time went', () =>
    withStand({ config }, async ({ url, legacy }) => {
      const ask = (headers: Record<string, string>): ReturnType<typeof request> =>
        request('GET', `${url}/api/stock`, { headers });
      for (const headers of [
        {},
        { 'x-fig-token': `${TOKEN}x` },
        { 'x-fig-token': TOKEN.slice(1) },
      ]) {
        expect((await ask(headers as Record<string, string>)).headers).not.toHaveProperty(
          'server-timing',
        );
      }
      const told = (await ask({ 'X-Fig-Token': TOKEN })).headers['server-timing'];
      expect(told).toMatch(
        /^facade;dur=\d+\.\d{3}, upstream;desc="legacy";dur=\d+\.\d{3}, held;dur=0\.000$/,
      );
      expect(legacy.received).toHaveLength(4);
      for (const { headers } of legacy.received) expect(headers).not.toHaveProperty('x-fig-token');
    }));

  it('tells how long a write was held', () =>
    withStand({ config }, async ({ url, legacy, extracted, engine, routing }) => {
      legacy.answer = (_req, res) => fenced(res, 'stock', 'closed', 2);
      extracted.answer = (_req, res) => json(res, 201, {});
      const headers = { 'x-fig-token': TOKEN };
      const writing = request('POST', `${url}/api/stock`, { body: {}, headers });
      await eventually(() => legacy.received.length > 0);
      routing.set('stock', routingState('stock', { owner: 'extracted', epoch: 2 }));
      const answer = await writing;
      expect(answer.status).toBe(201);
      const held = /held;dur=([\d.]+)$/.exec(String(answer.headers['server-timing']))?.[1];
      expect(Number(held)).toBeGreaterThan(0);
      expect(engine.received.some((asked) => asked.url === '/routing')).toBe(true);
    }));
});

describe('the limit of one try', () => {
  const limits = { requestMs: 20_000, attemptMs: 150 };

  it('leaves time for the owner to answer a read, and calls off what nobody waits for', () =>
    withStand({ config: { limits } }, async ({ url, flags, extracted }) => {
      await flags({ 'stock.reads': 100 });
      const read = (): ReturnType<typeof request> =>
        request('GET', `${url}/api/stock`, { headers: { 'x-customer-id': 'C1' } });
      await eventually(async () => expect((await read()).body).toEqual({ from: 'extracted' }));
      let asked = 0;
      let calledOff = 0;
      extracted.answer = (_req, res) => {
        asked += 1;
        res.on('close', () => (calledOff += 1));
      };
      expect(await read()).toMatchObject({ status: 200, body: { from: 'legacy' } });
      await eventually(() => asked > 0 && calledOff === asked);
      expect(extracted.received.at(-1)?.headers['x-fig-timeout-ms']).toBe('150');
    }));

  it('ends a write in time, which is sent again under its own key and attempt only', () =>
    withStand({ config: { limits } }, async ({ url, legacy }) => {
      legacy.answer = () => undefined;
      const answer = await request('POST', `${url}/api/stock`, { body: {} });
      expect(answer).toMatchObject({ status: 504, body: { code: 'upstream_timeout' } });
      const sent = legacy.received.map(({ headers }) =>
        [headers['idempotency-key'], headers['x-fig-attempt']].join(),
      );
      expect(new Set(sent).size).toBe(1);
    }));
});
