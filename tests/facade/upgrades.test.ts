import { describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { listen } from '../../chassis/index.ts';
import { eventually } from '../support/index.ts';
import { RawClient } from './raw-client.ts';
import { withStand } from './stand.ts';

const HANDSHAKE = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];

const H2C = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'];
const NOWHERE = 'http://127.0.0.1:9';
/** More than fits into a socket's buffer. */
const LARGE = 'x'.repeat(8 << 20);

/** Gives `use` a server that accepts every upgrade and then echoes. */
async function withEcho(
  use: (url: string, seen: IncomingMessage[]) => Promise<void>,
): Promise<void> {
  const seen: IncomingMessage[] = [];
  const server = createServer((req, res) => {
    setTimeout(() => res.end(req.url === '/large' ? LARGE : 'slow'), 50);
  });
  server.on('upgrade', (req: IncomingMessage, socket) => {
    seen.push(req);
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n');
    socket.write('upgrade: websocket\r\n\r\n');
    socket.pipe(socket);
    socket.on('error', () => socket.destroy());
  });
  const listening = await listen(server, { host: '127.0.0.1', port: 0, variable: 'none' });
  try {
    await use(`http://127.0.0.1:${listening.port}`, seen);
  } finally {
    await listening.close(0);
  }
}

/** Gives `use` the https:// address of a server that accepts a connection and never says a word. */
async function withDeaf(use: (url: string) => Promise<void>): Promise<void> {
  const server = createTcpServer((socket) => socket.on('error', () => undefined).resume());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

/** The series of what upstreams failed of. */
async function failuresAt(adminUrl: string): Promise<readonly string[]> {
  const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
  return [...metrics.matchAll(/^fig_upstream_failures_total(\{.*)$/gm)].map(([, of = '']) => of);
}

describe('a WebSocket', () => {
  it('goes to the monolith, with the same care for path and headers', () =>
    withEcho((upstream, seen) =>
      withStand(
        { config: { upstreams: { monolith: upstream, legacy: upstream, extracted: upstream } } },
        async ({ port }) => {
          const client = new RawClient(port);
          client.get('/a//%62?c=d', 'X-User-Id: admin', 'Cookie: e=f', ...HANDSHAKE);
          await eventually(() => client.statuses.length === 1);
          expect(client.statuses).toEqual([101]);
          client.send('ping');
          await eventually(() => client.text.endsWith('ping'));
          expect(seen[0]?.url).toBe('/a/b?c=d');
          expect(seen[0]?.headers).toMatchObject({
            cookie: 'e=f',
            'sec-websocket-version': '13',
            'x-forwarded-for': '127.0.0.1',
            traceparent: expect.any(String),
          });
          expect(seen[0]?.headers).not.toHaveProperty('x-user-id');
          client.close();
        },
      ),
    ));

  it('is passed on byte by byte, as is the agreement', async () => {
    const seen: IncomingMessage[] = [];
    const server = createServer();
    server.on('upgrade', (req: IncomingMessage, socket) => {
      seen.push(req);
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n' +
          'Keep-Alive: timeout=5\r\nSet-Cookie: a=1\r\nX-Name: Andr\xe9\r\nset-cookie: b=2\r\n' +
          'X-List: 1\r\nX-List: 2\r\n\r\n\xff',
        'latin1',
      );
      socket.on('data', () => socket.destroy());
      socket.on('error', () => socket.destroy());
    });
    const listening = await listen(server, { host: '127.0.0.1', port: 0, variable: 'none' });
    const upstream = `http://127.0.0.1:${listening.port}/base`;
    try {
      await withStand(
        { config: { upstreams: { monolith: upstream, legacy: upstream, extracted: upstream } } },
        async ({ port }) => {
          const client = new RawClient(port);
          const odd = ['Expect: 100-continue', 'X-User-Id: admin', 'X-Name: Andr\xe9'];
          client.get(`/a?b='{c}|http:/d?e`, ...odd, ...HANDSHAKE);
          await eventually(() => client.text.endsWith('\xff'));
          expect(client.text).toMatch(
            /^HTTP\/1\.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n/,
          );
          for (const line of ['Set-Cookie: a=1', 'Set-Cookie: b=2', 'X-Name: Andr\xe9']) {
            expect(client.text).toContain(`\r\n${line}\r\n`);
          }
          expect(client.text).toContain('\r\nX-List: 1\r\nX-List: 2\r\n');
          expect(client.text).not.toMatch(/keep-alive/i);
          expect(seen[0]?.url).toBe(`/base/a?b='{c}|http:/d?e`);
          expect(seen[0]?.headers).toMatchObject({ 'x-name': 'Andr\xe9' });
          expect(seen[0]?.headers).not.toHaveProperty('expect');
          expect(seen[0]?.headers).not.toHaveProperty('x-user-id');
          // An upstream that breaks off takes its client with it.
          client.send('bye');
          await eventually(() => client.ending !== undefined);
        },
      );
    } finally {
      await listening.close(0);
    }
  });

  it('is refused with a path that could be read in two ways, or a body', () =>
    withStand({}, async ({ port, monolith }) => {
      for (const [target, ...headers] of [
        ['/a%00b'],
        ['/a', 'Content-Length: 5'],
        ['/a', 'Transfer-Encoding: chunked'],
      ] as const) {
        const client = new RawClient(port).get(target, ...headers, ...HANDSHAKE);
        await eventually(() => client.ending !== undefined);
        expect(client.statuses).toEqual([400]);
      }
      expect(monolith.connections()).toBe(0);
    }));

  it('to a server that is away is a 502, counted as refused', () =>
    withStand({}, async ({ port, adminUrl, monolith }) => {
      await monolith.close();
      const client = new RawClient(port).get('/a', ...HANDSHAKE);
      await eventually(() => client.ending !== undefined);
      expect(client.statuses).toEqual([502]);
      expect(await failuresAt(adminUrl)).toEqual(['{upstream="monolith",cause="refused"} 1']);
    }));

  it('to a server that never finishes connecting is counted as a connect timeout', () =>
    withDeaf((upstream) =>
      withStand(
        { config: { upstreams: { monolith: upstream, legacy: upstream, extracted: upstream } } },
        async ({ port, adminUrl }) => {
          const client = new RawClient(port).get('/a', ...HANDSHAKE);
          await eventually(() => client.ending !== undefined);
          expect(client.statuses).toEqual([502]);
          expect(await failuresAt(adminUrl)).toEqual([
            '{upstream="monolith",cause="connect_timeout"} 1',
          ]);
        },
      ),
    ));
});

describe('a wish to upgrade to anything else', () => {
  it('is ignored, on a connection that goes on', () =>
    withStand({}, async ({ port, legacy, monolith }) => {
      const wish = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMA'];
      const client = new RawClient(port);
      client.get('/api/stock', ...wish);
      await eventually(() => client.statuses.length === 1);
      client.send('POST /x HTTP/1.1', 'Host: fig', 'Content-Length: 3', ...wish, '', 'abc');
      await eventually(() => client.statuses.length === 2);
      client.get('/y');
      await eventually(() => client.statuses.length === 3);
      expect(client.statuses).toEqual([200, 200, 200]);
      expect(monolith.received.map(({ url, body }) => [url, body])).toEqual([
        ['/x', 'abc'],
        ['/y', ''],
      ]);
      expect(legacy.received[0]?.headers).not.toHaveProperty('upgrade');
      expect(legacy.received[0]?.headers).not.toHaveProperty('http2-settings');
      client.close();
    }));

  it('keeps the answer of an upstream that does not agree, whole', () =>
    withStand({}, async ({ port, monolith, legacy }) => {
      for (const upstream of [monolith, legacy]) {
        upstream.answer = (_req, res) => {
          res.writeHead(401, { 'x-why': 'no' });
          res.write('not ');
          res.end('yet');
        };
      }
      for (const path of ['/a', '/api/stock']) {
        const client = new RawClient(port).get(path, ...HANDSHAKE);
        await eventually(() => client.ending !== undefined);
        expect(client.statuses).toEqual([401]);
        expect(client.text).toMatch(/\r\nx-why: no\r\n/);
        expect(client.text).toMatch(/\r\n\r\n4\r\nnot \r\n3\r\nyet\r\n0\r\n\r\n$/);
      }
    }));

  it.each([
    ['an agreement that names no protocol', 'HTTP/1.1 101 Switching Protocols\r\n\r\nhello'],
    [
      'an agreement to another protocol',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\nhello',
    ],
    ['an agreement to nothing', 'HTTP/1.1 101 Odd\r\nConnection: upgrade\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\nhi'],
  ])('that is answered with %s is a 502', (_name, bytes) =>
    withStand({}, async ({ port, monolith, legacy }) => {
      for (const upstream of [monolith, legacy]) {
        upstream.answer = (_req, res) => res.socket?.end(bytes);
      }
      for (const path of ['/a', '/api/stock']) {
        const client = new RawClient(port).get(path, ...HANDSHAKE);
        await eventually(() => client.ending !== undefined);
        expect(client.statuses).toEqual([502]);
        expect(client.text).toContain('upstream_unavailable');
      }
    }),
  );

  it('to a server that is silent is a 504', () =>
    withStand({ config: { limits: { requestMs: 100 } } }, async ({ port, monolith }) => {
      monolith.answer = () => undefined;
      const client = new RawClient(port).get('/a', ...HANDSHAKE);
      await eventually(() => client.ending !== undefined);
      expect(client.statuses).toEqual([504]);
      await eventually(() => monolith.connections() === 0);
    }));

  it('whose client leaves leaves nothing behind, before and after it is agreed', () =>
    withEcho((upstream, seen) =>
      withStand(
        { config: { upstreams: { monolith: upstream, legacy: upstream, extracted: upstream } } },
        async ({ port, adminUrl }) => {
          const open = async (): Promise<string> => {
            const metrics = await fetch(`${adminUrl}/metrics`);
            return /^fig_upgraded_connections (\d+)$/m.exec(await metrics.text())?.[1] ?? 'none';
          };
          const client = new RawClient(port).get('/a', ...HANDSHAKE);
          await eventually(() => client.statuses.length === 1);
          expect(await open()).toBe('1');
          client.close();
          await eventually(async () => (await open()) === '0');
          await eventually(() => seen[0]?.socket.destroyed === true);
          const counted = await (await fetch(`${adminUrl}/metrics`)).text();
          expect(counted).toMatch(/fig_requests_total\{[^}]*status="101"[^}]*\} 1/);
        },
      ),
    ));

  it('that nobody has agreed to is called off with its client', () =>
    withStand({}, async ({ port, monolith }) => {
      monolith.answer = () => undefined;
      const client = new RawClient(port).get('/a', ...HANDSHAKE);
      await eventually(() => monolith.received.length === 1);
      client.socket.end();
      await eventually(() => monolith.connections() === 0);
      client.close();
    }));

  it('is one of so many', () =>
    withEcho((upstream) =>
      withStand(
        {
          config: {
            upstreams: { monolith: upstream, legacy: upstream, extracted: upstream },
            limits: { upgrades: 1 },
          },
        },
        async ({ port }) => {
          const first = new RawClient(port).get('/a', ...HANDSHAKE);
          await eventually(() => first.statuses[0] === 101);
          const second = new RawClient(port).get('/a', ...HANDSHAKE);
          await eventually(() => second.ending !== undefined);
          expect(second.statuses).toEqual([503]);
          expect(second.text).toContain('too_many_upgrades');
          first.close();
        },
      ),
    ));

  it('is one of so many of its client, and makes room when it ends or is refused', () =>
    withEcho((upstream) =>
      withStand(
        {
          config: {
            upstreams: { monolith: upstream, legacy: NOWHERE, extracted: upstream },
            trustedHops: 1,
            limits: { upgrades: 10, clientUpgrades: 1 },
          },
        },
        async ({ port }) => {
          const from = (address: string, path = '/a'): RawClient =>
            new RawClient(port).get(path, ...HANDSHAKE, `X-Forwarded-For: ${address}`);
          const first = from('192.0.2.1');
          await eventually(() => first.statuses[0] === 101);
          const second = from('192.0.2.1');
          await eventually(() => second.statuses[0] === 503);
          const other = from('192.0.2.2');
          await eventually(() => other.statuses[0] === 101);
          first.close();
          await eventually(async () => {
            const next = from('192.0.2.1');
            await eventually(() => next.statuses.length > 0);
            next.close();
            return next.statuses[0] === 101;
          });
          other.close();
          for (let n = 0; n < 2; n += 1) {
            const refused = from('192.0.2.3', '/api/stock/A1');
            await eventually(() => refused.statuses[0] === 502);
            refused.close();
          }
        },
      ),
    ));

  it('is in use for the limit of connections, as one whose upgrade was ignored is not', () =>
    withEcho((upstream) =>
      withStand(
        {
          config: {
            upstreams: { monolith: upstream, legacy: NOWHERE, extracted: NOWHERE },
            limits: { clientSockets: 3 },
          },
        },
        async ({ port }) => {
          const webSocket = new RawClient(port).get('/a', ...HANDSHAKE);
          await eventually(() => expect(webSocket.statuses).toEqual([101]));
          const clients = [webSocket];
          for (let n = 0; n < 3; n += 1) {
            const client = new RawClient(port).get('/a', ...H2C);
            clients.push(client);
            await eventually(() => expect(client.statuses).toEqual([200]));
          }
          const open = () => clients.map(({ ending }) => ending === undefined);
          await eventually(() => expect(open()).toEqual([true, false, true, true]));
          for (const client of clients) client.close();
        },
      ),
    ));

  it('on a route of a capability goes where its reads go, and keeps its headers apart', () =>
    withEcho((echo, seen) =>
      withStand(
        { config: { upstreams: { monolith: NOWHERE, legacy: NOWHERE, extracted: echo } } },
        async ({ port, flags }) => {
          await flags({ 'stock.reads': 100 });
          const headers = ['X-Customer-Id: C1', 'Cookie: a=b', 'Cookie: c=d'];
          await eventually(async () => {
            const client = new RawClient(port).get('/api/stock', ...headers, ...HANDSHAKE);
            await eventually(() => client.statuses.length === 1);
            client.close();
            return client.statuses[0] === 101;
          });
          const raw = seen[0]?.rawHeaders ?? [];
          expect(raw.filter((_text, at) => /^cookie$/i.test(raw[at - 1] ?? ''))).toEqual([
            'a=b',
            'c=d',
          ]);
        },
      ),
    ));

  it('or any wish to upgrade waits for the answers before it', () =>
    withEcho((echo) =>
      withStand(
        {
          config: { upstreams: { monolith: echo, legacy: echo, extracted: echo } },
        },
        async ({ port }) => {
          const client = new RawClient(port);
          client
            .get('/api/stock')
            .get('/a', ...HANDSHAKE)
            .send('early');
          await eventually(() => client.text.endsWith('early'));
          expect(client.statuses).toEqual([200, 101]);
          client.close();
          const large = new RawClient(port)
            .get('/large')
            .get('/h2c', ...H2C)
            .get('/last');
          await eventually(() => large.statuses.length === 3);
          expect(large.statuses).toEqual([200, 200, 200]);
          large.close();
          const connect = new RawClient(port).get('/large');
          connect.send('CONNECT a:1 HTTP/1.1', 'Host: a:1', '', '');
          await eventually(() => connect.ending !== undefined);
          expect(connect.statuses).toEqual([200, 405]);
        },
      ),
    ));
});
