import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { request as send } from 'undici';
import { eventually } from '../support/index.ts';
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
            trailer: 'x-sum, Set-Cookie',
          });
          res.write('ab');
          // What says how a message is read, or whose it is, has no place in a trailer.
          res.addTrailers({ 'x-sum': '7', 'set-cookie': 'c=3', 'content-type': 'text/x' });
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
            trailer: 'x-sum',
          },
        });
        expect(answer.trailers).toEqual({ 'x-sum': '7' });
      },
    ));
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
