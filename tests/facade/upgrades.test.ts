import { describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { listen } from '../../chassis/index.ts';
import { eventually } from '../support/index.ts';
import { RawClient } from './raw-client.ts';
import { withStand } from './stand.ts';

const HANDSHAKE = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];

/** Gives `use` a server that accepts every upgrade and then echoes. */
async function withEcho(
  use: (url: string, seen: IncomingMessage[]) => Promise<void>,
): Promise<void> {
  const seen: IncomingMessage[] = [];
  const server = createServer();
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

  it('is refused with a path that could be read in two ways, or a body', () =>
    withStand({}, async ({ port, monolith }) => {
      for (const [target, ...headers] of [
        ['/a%2fb'],
        ['/a', 'Content-Length: 5'],
        ['/a', 'Transfer-Encoding: chunked'],
      ] as const) {
        const client = new RawClient(port).get(target, ...headers, ...HANDSHAKE);
        await eventually(() => client.ending !== undefined);
        expect(client.statuses).toEqual([400]);
      }
      expect(monolith.connections()).toBe(0);
    }));

  it('to a server that is away is a 502', () =>
    withStand({}, async ({ port, monolith }) => {
      await monolith.close();
      const client = new RawClient(port).get('/a', ...HANDSHAKE);
      await eventually(() => client.ending !== undefined);
      expect(client.statuses).toEqual([502]);
    }));
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
});
