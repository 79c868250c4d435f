import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { request as send } from 'undici';
import { eventually, request } from '../support/index.ts';
import { RawClient } from './raw-client.ts';
import { json, withStand } from './stand.ts';

const MEGABYTE = randomBytes(1 << 20);

describe('bodies', () => {
  it('are streamed up and down, whole, also without a length', () => {
    let received = 0;
    return withStand(
      {
        rawMonolith: (req, res) => {
          req.on('data', (chunk: Buffer) => (received += chunk.length));
          req.pipe(res);
        },
      },
      async ({ url }) => {
        const body = Readable.from(
          (function* () {
            for (let count = 0; count < 20; count += 1) yield MEGABYTE;
          })(),
        );
        const answer = await send(`${url}/echo`, { method: 'POST', body });
        let bytes = 0;
        for await (const chunk of answer.body) bytes += (chunk as Buffer).length;
        expect(bytes).toBe(20 << 20);
        expect(received).toBe(20 << 20);
      },
    );
  });

  it('wait for a client that reads slowly', () => {
    let written = 0;
    return withStand(
      {
        rawMonolith: (_req, res) => {
          const more = (): void => {
            while (written < 200 << 20 && res.write(MEGABYTE)) written += MEGABYTE.length;
            written += MEGABYTE.length;
          };
          res.on('drain', more);
          more();
        },
      },
      async ({ port }) => {
        const answer = await new Promise<IncomingMessage>((resolve) => {
          httpRequest({ port, host: '127.0.0.1', path: '/large' }, resolve).end();
        });
        answer.pause();
        let before = -1;
        await eventually(
          () => {
            const still = written === before;
            before = written;
            return still;
          },
          { intervalMs: 200 },
        );
        // What fits into sockets' buffers on the way, and no more.
        expect(written).toBeLessThan(32 << 20);
        answer.destroy();
      },
    );
  });

  it('arrive piece by piece, as server-sent events need it', () => {
    let next: ((text: string) => void) | undefined;
    return withStand(
      {
        rawMonolith: (_req, res) => {
          res.writeHead(200, { 'content-type': 'text/event-stream' });
          res.flushHeaders();
          next = (text) => void res.write(text);
        },
      },
      async ({ url }) => {
        const answer = await send(`${url}/events`);
        const pieces = answer.body[Symbol.asyncIterator]();
        for (const text of ['data: 1\n\n', 'data: 2\n\n']) {
          next?.(text);
          const piece = await pieces.next();
          expect(String(piece.value)).toBe(text);
        }
        answer.body.destroy();
      },
    );
  });

  it('of HEAD, 204 and 304 are empty, and the connection goes on', () =>
    withStand({}, async ({ port, legacy, monolith }) => {
      for (const upstream of [legacy, monolith]) {
        upstream.answer = (req, res) => {
          if (req.method === 'HEAD') res.writeHead(200, { 'content-length': '1000' }).end();
          else if (req.url?.endsWith('none')) res.writeHead(204).end();
          else if (req.url?.endsWith('same')) res.writeHead(304, { etag: '"a"' }).end();
          else json(res, 200, {});
        };
      }
      const client = new RawClient(port);
      for (const base of ['/x', '/api/stock']) {
        client.send(`HEAD ${base} HTTP/1.1`, 'Host: fig', '', '');
        client.get(`${base}/none`).get(`${base}/same`).get(base);
      }
      await eventually(() => client.statuses.length === 8);
      expect(client.statuses).toEqual([200, 204, 304, 200, 200, 204, 304, 200]);
      expect(client.text.match(/content-length: 1000/g)).toHaveLength(2);
      client.close();
    }));

  it('keep their headers: several cookies, encoding, ranges, trailers', () =>
    withStand(
      {
        rawMonolith: (_req, res) => {
          res.writeHead(206, {
            'set-cookie': ['a=1', 'b=2'],
            'content-encoding': 'gzip',
            'content-range': 'bytes 0-1/9',
            trailer: 'x-sum',
          });
          res.write('ab');
          res.addTrailers({ 'x-sum': '7' });
          res.end();
        },
      },
      async ({ url }) => {
        const answer = await send(url);
        expect(await answer.body.text()).toBe('ab');
        expect(answer).toMatchObject({
          statusCode: 206,
          headers: {
            'set-cookie': ['a=1', 'b=2'],
            'content-encoding': 'gzip',
            'content-range': 'bytes 0-1/9',
          },
          trailers: { 'x-sum': '7' },
        });
      },
    ));
});

describe('headers', () => {
  it('for one hop only go no further, and nobody speaks in our name', () =>
    withStand({}, async ({ port, legacy }) => {
      const client = new RawClient(port);
      client.get(
        '/api/stock',
        'Connection: keep-alive, X-Hop',
        'X-Hop: 1',
        'Keep-Alive: timeout=5',
        'TE: trailers',
        'Proxy-Authorization: secret',
        'X-Fig-Attempt: mine',
        'x_fig_attempt: mine',
        'X-User-Id: admin',
        'X_USER_ID: admin',
        'X-Forwarded-For: 6.6.6.6',
        'Forwarded: for=6.6.6.6',
        'x_customer_id: C9',
        'X-Customer-Id: C1',
        'Via: 1.0 before',
        'Accept: a',
        'Accept: b',
      );
      await eventually(() => client.statuses.length === 1);
      const { headers = {}, rawHeaders = [] } = legacy.received[0] ?? {};
      expect(headers).toEqual({
        accept: 'a, b',
        connection: 'keep-alive',
        host: new URL(legacy.url).host,
        traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
        via: '1.0 before, 1.1 fig',
        'x-fig-timeout-ms': '30000',
        'x-customer-id': 'C1',
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-host': 'fig',
        'x-forwarded-proto': 'http',
      });
      expect(rawHeaders.filter((each) => each === 'Accept')).toHaveLength(2);
      client.close();
    }));

  it('of answers lose what was meant for the facade', () =>
    withStand({}, async ({ url, legacy }) => {
      legacy.answer = (_req, res) => {
        res.writeHead(200, { connection: 'keep-alive, x-hop', 'x-hop': '1', 'x-kept': '2' });
        res.end('x');
      };
      const answer = await request('GET', `${url}/api/stock`);
      expect(answer.headers).toMatchObject({ 'x-kept': '2', via: '1.1 fig' });
      expect(answer.headers).not.toHaveProperty('x-hop');
    }));

  it('continue the trace of the caller', () =>
    withStand({}, async ({ url, monolith }) => {
      const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
      await request('GET', url, { headers: { traceparent, tracestate: 'x=1' } });
      const sent = String(monolith.received[0]?.headers['traceparent']);
      expect(sent).toMatch(new RegExp(`^00-${'a'.repeat(32)}-(?!b{16})[0-9a-f]{16}-01$`));
      expect(monolith.received[0]?.headers['tracestate']).toBe('x=1');
    }));
});

describe('when somebody goes away', () => {
  it('the upstream is cancelled with its client', () => {
    let closed = 0;
    return withStand(
      {
        rawMonolith: (_req, res) => {
          res.on('close', () => (closed += 1));
        },
      },
      async ({ url, legacy }) => {
        legacy.answer = (_req, res) => {
          res.on('close', () => (closed += 1));
        };
        for (const path of ['/x', '/api/stock']) {
          const leaving = new AbortController();
          const left = send(url + path, { signal: leaving.signal });
          await delay(50);
          leaving.abort();
          await expect(left).rejects.toThrow('abort');
        }
        await eventually(() => closed === 2, { timeoutMs: 1_000 });
      },
    );
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
    // It is given a key by the facade.
    { path: '/api/stock', method: 'POST', headers: {}, tries: 2 },
  ])(
    'a connection that served before and breaks off: $method $path $headers is tried $tries times',
    ({ path, method, headers, tries }) =>
      withStand({}, async ({ url, monolith, legacy }) => {
        const upstream = path === '/x' ? monolith : legacy;
        await request('GET', url + path);
        upstream.answer = (_req, res) => res.destroy();
        expect((await request(method, url + path, { headers })).status).toBe(502);
        expect(upstream.received.slice(1)).toHaveLength(tries);
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

describe('Expect: 100-continue', () => {
  it('is answered by the facade', () =>
    withStand({}, async ({ port, monolith }) => {
      const client = new RawClient(port);
      client.send('POST /x HTTP/1.1', 'Host: fig', 'Content-Length: 3', 'Expect: 100-continue');
      client.send('', '', '');
      await eventually(() => client.statuses[0] === 100);
      client.send('abc');
      await eventually(() => client.statuses.length === 2);
      expect(client.statuses).toEqual([100, 200]);
      expect(monolith.received[0]?.body).toBe('abc');
      client.close();
    }));
});
