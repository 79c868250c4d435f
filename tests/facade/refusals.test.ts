import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/index.ts';
import { RawClient } from './raw-client.ts';
import { json, withStand } from './stand.ts';

interface Case {
  readonly name: string;
  readonly bytes: string;
  readonly status: number;
}

const request = (line: string, ...headers: string[]): string =>
  [line, ...headers, '', ''].join('\r\n');
const get = (target: string, ...headers: string[]): string =>
  request(`GET ${target} HTTP/1.1`, 'Host: fig', ...headers);

/** What two servers could take for two different requests. */
const REFUSED: readonly Case[] = [
  {
    name: 'Content-Length and Transfer-Encoding',
    bytes: `${request('POST /api/stock HTTP/1.1', 'Host: fig', 'Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    status: 400,
  },
  {
    name: 'two Content-Lengths',
    bytes: `${request('POST /x HTTP/1.1', 'Host: fig', 'Content-Length: 1', 'Content-Length: 2')}ab`,
    status: 400,
  },
  { name: 'a bare line feed', bytes: 'GET / HTTP/1.1\nHost: fig\n\n', status: 400 },
  { name: 'a folded header', bytes: get('/', 'X-A: b', ' c'), status: 400 },
  { name: 'a space before the colon', bytes: get('/', 'X-A : b'), status: 400 },
  { name: 'two Hosts', bytes: get('/', 'Host: other'), status: 400 },
  { name: 'no Host', bytes: request('GET / HTTP/1.1'), status: 400 },
  { name: 'an absolute target', bytes: get('http://elsewhere/x'), status: 400 },
  { name: 'a fragment', bytes: get('/a#b'), status: 400 },
  { name: 'a backslash', bytes: get('/a\\b'), status: 400 },
  { name: 'an encoded NUL', bytes: get('/a%00b'), status: 400 },
  { name: 'an encoded slash', bytes: get('/api%2fstock'), status: 400 },
  { name: 'an encoded backslash', bytes: get('/api%5cstock'), status: 400 },
  { name: 'dot segments', bytes: get('/api/x/../stock'), status: 400 },
  { name: 'encoded dot segments', bytes: get('/api/x/%2e%2E/stock'), status: 400 },
  { name: 'dot segments with a parameter', bytes: get('/api/x/..;a/stock'), status: 400 },
  { name: 'a malformed escape', bytes: get('/a%zz'), status: 400 },
  { name: 'a raw non-ASCII path', bytes: get('/caf\u00e9'), status: 400 },
  { name: 'TRACE', bytes: request('TRACE / HTTP/1.1', 'Host: fig'), status: 405 },
  { name: 'CONNECT', bytes: request('CONNECT a:1 HTTP/1.1', 'Host: fig'), status: 405 },
  {
    name: 'a coding other than chunked',
    bytes: `${request('POST /x HTTP/1.1', 'Host: fig', 'Transfer-Encoding: gzip, chunked')}0\r\n\r\n`,
    status: 501,
  },
  {
    name: 'Connection naming what is decided on',
    bytes: get('/api/stock', 'X-Customer-Id: C1', 'Connection: x-customer-id'),
    status: 400,
  },
  {
    name: 'two customers',
    bytes: get('/api/stock', 'X-Customer-Id: C1', 'X-Customer-Id: C2'),
    status: 400,
  },
  { name: 'headers over 16 KB', bytes: get('/', `X-A: ${'a'.repeat(17_000)}`), status: 431 },
  {
    name: 'more header lines than some servers read',
    bytes: get('/', ...Array.from({ length: 1_000 }, () => 'a:'), 'X-Customer-Id: C1'),
    status: 431,
  },
];

describe('the facade refuses, and no upstream sees', () => {
  it.each(REFUSED)('$name: $status', ({ bytes, status }) =>
    withStand({}, async ({ port, monolith, legacy, extracted }) => {
      const client = new RawClient(port);
      client.send(bytes);
      await eventually(() => client.statuses.length > 0);
      expect(client.statuses).toEqual([status]);
      for (const upstream of [monolith, legacy, extracted]) {
        expect(upstream.connections()).toBe(0);
      }
      client.close();
    }),
  );

  it('with problem+json that names a code and a trace', () =>
    withStand({}, async ({ port }) => {
      const trace = 'a'.repeat(32);
      const client = new RawClient(port);
      client.get('/a%00b', `traceparent: 00-${trace}-${'b'.repeat(16)}-01`);
      await eventually(() => client.text.includes('}'));
      expect(client.text).toContain('content-type: application/problem+json');
      expect(client.text).toContain('"code":"invalid_path"');
      expect(client.text).toContain(`"traceId":"${trace}"`);
      expect(client.text).toContain(`traceparent: 00-${trace}-`);
      client.close();
    }));
});

describe('one request stays one request', () => {
  it.each(['DELETE', 'OPTIONS', 'GET', 'POST'])('a chunked %s that carries another', (method) =>
    withStand({}, async ({ port, monolith, legacy }) => {
      const client = new RawClient(port);
      const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: fig\r\n\r\n';
      for (const target of ['/x', '/api/stock']) {
        client.send(
          `${method} ${target} HTTP/1.1`,
          'Host: fig',
          'Transfer-Encoding: chunked',
          '',
          smuggled.length.toString(16),
          smuggled,
          '0',
          '',
          '',
        );
      }
      await eventually(() => client.statuses.length === 2);
      const seen = [...monolith.received, ...legacy.received];
      expect(seen.map((each) => [each.method, each.url, each.body])).toEqual([
        [method, '/x', smuggled],
        [method, '/api/stock', smuggled],
      ]);
      client.close();
    }),
  );

  it('and what is left of one that was refused is never taken for the next', () =>
    withStand({}, async ({ port, monolith, legacy }) => {
      const client = new RawClient(port);
      const body = 'GET /smuggled HTTP/1.1\r\nHost: fig\r\n\r\n';
      // Less than was announced: whoever waits for the rest takes what comes next for it.
      client.send(
        'POST /a%00b HTTP/1.1',
        'Host: fig',
        `Content-Length: ${2 * body.length}`,
        '',
        body,
      );
      await eventually(() => client.ending !== undefined);
      expect(client.statuses).toEqual([400]);
      expect(client.text).toMatch(/^connection: close\r$/im);
      expect([...monolith.received, ...legacy.received]).toEqual([]);
    }));

  it('and what stands behind a request whose answer is the last one is not carried out', () =>
    withStand({}, async ({ port, monolith, legacy }) => {
      monolith.answer = (_req, res) => {
        setTimeout(() => res.socket?.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbroken'), 50);
      };
      for (const [first, ...more] of [
        // The upstream breaks off in the middle of its answer.
        [['GET /x HTTP/1.1', 'Host: fig', '', '']],
        // The client says itself that it is the last one.
        [['GET /api/stock HTTP/1.1', 'Host: fig', 'Connection: close', '', '']],
        // It is refused before it is whole.
        [['POST /a%00b HTTP/1.1', 'Host: fig', 'Content-Length: 3', '', ''], 'abc'],
      ] as const) {
        const client = new RawClient(port).send(...first);
        await new Promise((resolve) => {
          setTimeout(resolve, 20);
        });
        client.send(...more, 'POST /api/stock/behind HTTP/1.1');
        client.send('', 'Host: fig', 'Content-Length: 0', '', '');
        await eventually(() => client.ending !== undefined);
        expect(client.statuses).toHaveLength(1);
        client.close();
      }
      expect(legacy.received.map(({ url }) => url)).toEqual(['/api/stock']);
    }));

  it('and is carried out after the one before it', () =>
    withStand({}, async ({ port, monolith, legacy }) => {
      let before = 0;
      monolith.answer = (_req, res) => {
        setTimeout(() => {
          before = legacy.received.length;
          json(res, 200, {});
        }, 100);
      };
      const client = new RawClient(port);
      client.get('/slow').get('/api/stock').get('/slow').get('/api/stock');
      await eventually(() => client.statuses.length === 4);
      expect(before).toBe(1);
      expect(legacy.received).toHaveLength(2);
      client.close();
    }));

  it('and pipelined requests are answered in order', () =>
    withStand({}, async ({ port }) => {
      const client = new RawClient(port);
      client.get('/first').get('/api/stock').get('/bad%00').get('/last');
      await eventually(() => client.statuses.length === 4);
      expect(client.statuses).toEqual([200, 200, 400, 200]);
      client.close();
    }));
});
