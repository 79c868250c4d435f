import { describe, expect, it } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { request as send } from 'undici';
import { eventually, request } from '../support/index.ts';
import { RawClient } from './raw-client.ts';
import { json, withStand } from './stand.ts';

const SIDES = ['legacy', 'extracted'];

describe('when somebody goes away', () => {
  it('the upstream is cancelled with its client', () => {
    let arrived = 0;
    let closed = 0;
    const hang = (_req: unknown, res: ServerResponse): void => {
      arrived += 1;
      res.on('close', () => (closed += 1));
    };
    return withStand({ rawMonolith: hang }, async ({ url, legacy }) => {
      legacy.answer = hang;
      let asked = 0;
      for (const path of ['/x', '/api/stock']) {
        const leaving = new AbortController();
        const left = send(url + path, { signal: leaving.signal });
        asked += 1;
        await eventually(() => arrived === asked);
        leaving.abort();
        await expect(left).rejects.toThrow('abort');
      }
      await eventually(() => closed === 2, { timeoutMs: 1_000 });
    });
  });

  it('an upstream that breaks off before it answers is a 502', () =>
    withStand({}, async ({ url, monolith, legacy }) => {
      for (const upstream of [monolith, legacy]) upstream.answer = (_req, res) => res.destroy();
      for (const path of ['/x', '/api/stock']) {
        for (const method of ['GET', 'POST']) {
          expect(await request(method, url + path)).toMatchObject({
            status: 502,
            body: { code: 'upstream_unavailable', traceId: expect.any(String) },
          });
        }
      }
      expect(monolith.received).toHaveLength(2);
      expect(legacy.received).toHaveLength(2);
    }));

  it.each([
    { path: '/x', method: 'GET', headers: {}, tries: 2 },
    { path: '/x', method: 'DELETE', headers: {}, tries: 1 },
    { path: '/x', method: 'DELETE', headers: { 'idempotency-key': 'k' }, tries: 2 },
    { path: '/x', method: 'POST', headers: {}, tries: 1 },
    { path: '/api/stock', method: 'GET', headers: {}, tries: 2 },
    { path: '/api/stock', method: 'PUT', headers: {}, tries: 1 },
    { path: '/api/stock', method: 'PUT', headers: { 'idempotency-key': 'k' }, tries: 2 },
    // It is given a key by the facade, of which only the facade knows.
    { path: '/api/stock', method: 'POST', headers: {}, tries: 1 },
    { path: '/api/stock', method: 'POST', headers: { 'idempotency-key': '' }, tries: 1 },
    { path: '/api/stock', method: 'POST', headers: { 'idempotency-key': 'k' }, tries: 2 },
    { path: '/api/stock', method: 'POST', headers: {}, honours: ['legacy'], tries: 1 },
    { path: '/api/stock', method: 'POST', headers: {}, honours: SIDES, tries: 2 },
    { path: '/api/stock', method: 'PUT', headers: {}, honours: SIDES, tries: 1 },
    { path: '/api/orders', method: 'POST', headers: {}, honours: SIDES, tries: 1 },
    { path: '/api/orders', method: 'POST', headers: {}, honours: ['monolith'], tries: 2 },
  ])(
    'a connection that served before and breaks off: $method $path $headers to $honours is tried $tries times',
    ({ path, method, headers, honours = [], tries }) =>
      withStand({ config: { honoursKeys: honours } }, async ({ url, monolith, legacy }) => {
        const upstream = path === '/api/stock' ? legacy : monolith;
        await request('GET', url + path);
        upstream.answer = (_req, res) => res.destroy();
        expect((await request(method, url + path, { headers })).status).toBe(502);
        expect(upstream.received.slice(1)).toHaveLength(tries);
      }),
  );

  it.each([
    ['says 100 Continue', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['begins to answer', 'HTTP/1.1 200 O'],
    ['says what is no HTTP', 'no\r\n\r\n'],
  ])('a write is not sent again when its upstream %s and breaks off', (_name, bytes) =>
    withStand({}, async ({ url, legacy }) => {
      await request('GET', `${url}/api/stock`);
      legacy.answer = (_req, res) => res.socket?.end(bytes);
      expect((await request('POST', `${url}/api/stock`)).status).toBe(502);
      expect(legacy.received.slice(1)).toHaveLength(1);
    }),
  );

  it('an answer after such a break is the answer', () =>
    withStand({}, async ({ url, legacy }) => {
      await request('GET', `${url}/api/stock`);
      legacy.answer = (_req, res) => {
        legacy.answer = (_again, answer) => json(answer, 200, { second: true });
        res.destroy();
      };
      const answer = await request('GET', `${url}/api/stock`);
      expect(answer).toMatchObject({ status: 200, body: { second: true } });
    }));

  it('an upstream that breaks off in the middle cuts the client off', () =>
    withStand({}, async ({ port, monolith, legacy }) => {
      for (const upstream of [monolith, legacy]) {
        upstream.answer = (_req, res) => {
          res.writeHead(200);
          res.write('some', () => res.destroy());
        };
      }
      for (const target of ['/x', '/api/stock']) {
        const client = new RawClient(port).get(target);
        await eventually(() => client.ending !== undefined);
        expect(client.text).toContain('some');
        expect(client.text).not.toContain('0\r\n\r\n');
        // A client of HTTP/1.0 must not take it for the end of the body.
        const old = new RawClient(port).send(`GET ${target} HTTP/1.0`, '', '');
        await eventually(() => old.ending !== undefined);
        expect(old.ending).toBe('reset');
      }
    }));

  it('an upstream that breaks off after the head of a small answer cuts the client off behind it', () =>
    withStand({}, async ({ port, monolith, legacy }) => {
      for (const upstream of [monolith, legacy]) {
        upstream.answer = (_req, res) => {
          res.writeHead(201, { 'content-length': 5 }).flushHeaders();
          setTimeout(() => res.destroy(), 20);
        };
      }
      for (const method of ['GET', 'POST']) {
        for (const target of ['/x', '/api/stock']) {
          const client = new RawClient(port).send(
            `${method} ${target} HTTP/1.1`,
            'Host: fig',
            '',
            '',
          );
          await eventually(() => client.ending !== undefined);
          // Without a byte of an answer some clients would send the request again.
          expect(client.statuses).toEqual([201]);
        }
      }
    }));

  it('an upstream that is not there is a 502', () =>
    withStand({}, async ({ url, monolith, legacy }) => {
      await monolith.close();
      await legacy.close();
      for (const path of ['/x', '/api/stock']) {
        for (const method of ['GET', 'POST']) {
          const answer = await request(method, url + path);
          expect(answer).toMatchObject({ status: 502, body: { code: 'upstream_unavailable' } });
        }
      }
    }));

  it('an upstream that does not answer in time is a 504, for writes too', () =>
    withStand({ config: { limits: { requestMs: 100 } } }, async ({ url, monolith, legacy }) => {
      let closed = 0;
      for (const upstream of [monolith, legacy]) {
        upstream.answer = (_req, res) => res.on('close', () => (closed += 1));
      }
      for (const path of ['/x', '/api/stock']) {
        for (const method of ['GET', 'POST']) {
          const answer = await request(method, url + path);
          expect(answer).toMatchObject({ status: 504, body: { code: 'upstream_timeout' } });
        }
      }
      expect(legacy.received).toHaveLength(2);
      await eventually(() => closed === 4, { timeoutMs: 1_000 });
    }));

  it('an upload that breaks off is not taken for a whole one', () => {
    let complete: boolean | undefined;
    return withStand(
      {
        rawMonolith: (req, res) => {
          req.resume();
          req.on('close', () => {
            complete = req.complete;
            res.destroy();
          });
        },
      },
      async ({ port, legacy }) => {
        for (const target of ['/x', '/api/stock']) {
          const client = new RawClient(port);
          client.send(`POST ${target} HTTP/1.1`, 'Host: fig', 'Content-Length: 10', '', 'abc');
          await delay(50);
          client.close();
        }
        await eventually(() => complete === false);
        expect(legacy.received).toHaveLength(0);
      },
    );
  });

  it('an upload that the upstream refuses early is answered', () =>
    withStand({ rawMonolith: (_req, res) => json(res, 403, { code: 'no' }) }, async ({ port }) => {
      const client = new RawClient(port);
      client.send('POST /x HTTP/1.1', 'Host: fig', 'Content-Length: 10', '', 'abc');
      await eventually(() => client.statuses.length === 1);
      expect(client.statuses).toEqual([403]);
      client.close();
    }));
});
