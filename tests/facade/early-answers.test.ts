import { describe, expect, it } from '@jest/globals';
import type { Socket } from 'node:net';
import { setInterval as ticks } from 'node:timers/promises';
import { eventually, inSoak } from '../support/index.ts';
import { startRawUpstream } from './conformance/raw-upstream.ts';
import type { RawUpstream } from './conformance/raw-upstream.ts';
import { RawClient } from './raw-client.ts';
import { withStand } from './stand.ts';
import type { Stand } from './stand.ts';

/** More than all sockets' buffers on the way hold. */
const LARGE = 24 << 20;
const PIECE = Buffer.alloc(1 << 20, 'a');
const REFUSAL = 'HTTP/1.1 413 Too Much\r\nContent-Length: 7\r\n\r\nrefused';

/** Gives `use` a facade whose upstreams are all one that speaks in bytes. */
async function withRaw(
  use: (stand: Stand, upstream: RawUpstream) => Promise<void>,
  config: NonNullable<Parameters<typeof withStand>[0]['config']> = {},
): Promise<void> {
  const upstream = await startRawUpstream();
  const { url } = upstream;
  try {
    const upstreams = { monolith: url, legacy: url, extracted: url };
    await withStand({ config: { upstreams, ...config } }, (stand) => use(stand, upstream));
  } finally {
    await upstream.close();
  }
}

/** Sends a head and then all of a body before it reads anything, as simple clients do. */
async function sendAllThenRead(port: number, head: string, chunked: boolean): Promise<RawClient> {
  const client = new RawClient(port);
  client.socket.pause();
  client.socket.write(head);
  let sent = 0;
  while (sent < LARGE && client.ending === undefined) {
    const piece = chunked
      ? Buffer.concat([Buffer.from('100000\r\n'), PIECE, Buffer.from('\r\n')])
      : PIECE;
    await new Promise<void>((resolve) => {
      client.socket.write(piece, () => resolve());
    });
    sent += PIECE.length;
  }
  if (chunked) client.socket.write('0\r\n\r\n');
  client.socket.resume();
  return client;
}

const length = `Content-Length: ${LARGE}`;

describe('an answer that comes before its request is whole', () => {
  it.each([
    ['keeps its connection', (socket: Socket) => void socket.write(REFUSAL)],
    ['ends its connection', (socket: Socket) => void socket.end(REFUSAL)],
    [
      'closes its connection with bytes unread',
      (socket: Socket) => void socket.write(REFUSAL, () => socket.destroy()),
    ],
  ])('reaches a client that sends all before it reads; the upstream %s', (_name, answer) =>
    withRaw(async ({ port }, upstream) => {
      for (const path of inSoak(['/upload', '/api/stock'], ['/api/stock'])) {
        for (const framing of [length, 'Transfer-Encoding: chunked']) {
          upstream.takeOver = (socket) => {
            socket.pause();
            answer(socket);
          };
          const head = [`POST ${path} HTTP/1.1`, 'Host: fig', framing, '', ''].join('\r\n');
          const client = await sendAllThenRead(port, head, framing !== length);
          await eventually(() => client.text.endsWith('refused'));
          expect(client.statuses).toEqual([413]);
          // Or what is left of the request would be taken for the next one.
          expect(client.text).toMatch(/\r\nconnection: close\r\n/i);
          await eventually(() => client.ending !== undefined);
          client.close();
        }
      }
    }),
  );

  it('reaches it also when the facade itself refuses, and what stands behind is not carried out', () =>
    withRaw(async ({ port }, upstream) => {
      const head = ['POST /a%00b HTTP/1.1', 'Host: fig', length, '', ''].join('\r\n');
      const client = await sendAllThenRead(port, head, false);
      client.get('/behind');
      await eventually(() => client.ending !== undefined);
      expect(client.statuses).toEqual([400]);
      expect(upstream.seen).toEqual([]);
    }));

  it('may go on while the request does', () =>
    withRaw(async ({ port }, upstream) => {
      upstream.takeOver = (socket) => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegin\r\n');
        socket.on('data', (chunk) => {
          if (String(chunk).includes('last')) socket.write('3\r\nend\r\n0\r\n\r\n');
        });
      };
      const client = new RawClient(port);
      client.send('POST /both HTTP/1.1', 'Host: fig', 'Transfer-Encoding: chunked', '', '');
      client.send('5', 'first', '');
      await eventually(() => client.text.includes('begin'));
      client.send('4', 'last', '0', '', '');
      await eventually(() => client.text.endsWith('end\r\n0\r\n\r\n'));
      client.close();
    }));
});

describe('a route of a capability, like any other', () => {
  it.each(['/x', '/api/stock'])('%s may answer for as long as it says something', (path) =>
    withRaw(
      async ({ port }, upstream) => {
        const pieces = 12;
        const begin = (type: string, everyMs: number): void => {
          upstream.reply = (_request, socket) => {
            const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n`;
            socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
            let sent = 0;
            const timer = setInterval(() => {
              sent += 1;
              socket.write(sent > pieces ? '0\r\n\r\n' : '5\r\npiece\r\n');
              if (sent > pieces) clearInterval(timer);
            }, everyMs);
            socket.on('close', () => clearInterval(timer));
          };
        };
        begin('text/plain', 50);
        const flowing = new RawClient(port).get(path);
        await eventually(() => flowing.text.endsWith('0\r\n\r\n'));
        flowing.close();
        // Events are seldom by nature.
        begin('text/event-stream; charset=utf-8', 700);
        const events = new RawClient(port).get(path);
        await eventually(() => events.text.split('piece').length > 3);
        events.close();
        // Whoever says nothing more in the middle of an answer has failed.
        upstream.reply = (_request, socket) => {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nsome');
        };
        const silent = new RawClient(port).get(path);
        await eventually(() => silent.ending !== undefined);
        expect(silent.text).toContain('some');
      },
      { limits: { requestMs: 400 } },
    ),
  );

  it.each(['/x', '/api/stock'])('%s takes a body of any size, also one that comes slowly', (path) =>
    withRaw(
      async ({ port }, upstream) => {
        for (const method of inSoak(['POST', 'PUT', 'GET'], ['POST'])) {
          for (const framing of [`Content-Length: 5000`, 'Transfer-Encoding: chunked']) {
            upstream.reset();
            const client = new RawClient(port);
            client.send(`${method} ${path} HTTP/1.1`, 'Host: fig', framing, '', '');
            const chunked = framing !== 'Content-Length: 5000';
            // A slow client: never silent for as long as the limit, and slower in all.
            let left = 5;
            for await (const _ of ticks(100)) {
              if (left === 0) break;
              left -= 1;
              if (chunked) client.send('3e8', 'b'.repeat(1_000), '');
              else client.send('b'.repeat(1_000));
            }
            if (chunked) client.send('0', '', '');
            await eventually(() => client.statuses.length === 1);
            expect(client.statuses).toEqual([200]);
            expect(upstream.seen.map((each) => each.body)).toEqual(['b'.repeat(5_000)]);
            client.close();
          }
        }
      },
      { limits: { requestMs: 400, bodyBytes: 1_500 } },
    ),
  );

  it('holds no body over the limit while ownership moves: the client is told that nothing happened', () =>
    withRaw(
      async ({ port }, upstream) => {
        upstream.reply = (_request, socket) => {
          const body = JSON.stringify({ code: 'fenced', capability: 'stock', state: 'closed' });
          const head = `HTTP/1.1 421 Misdirected Request\r\nContent-Length: ${body.length}`;
          socket.write(`${head}\r\n\r\n${body}`);
        };
        const client = new RawClient(port);
        client.send('POST /api/stock HTTP/1.1', 'Host: fig', 'Content-Length: 5000', '', '');
        client.send('b'.repeat(5_000));
        await eventually(() => client.text.endsWith('}'));
        expect(client.statuses).toEqual([503]);
        expect(client.text).toContain('too_large_to_hold');
        expect(upstream.seen).toHaveLength(1);
        client.close();
      },
      { limits: { bodyBytes: 1_500 } },
    ));
});
