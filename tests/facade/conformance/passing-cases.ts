import { eventually } from '../../support/index.ts';
import { RawClient } from '../raw-client.ts';
import { ask, get, parts, raw } from './ask.ts';
import type { Case } from './case.ts';
import type { Target } from './target.ts';

/** What must come through as it is. */
export const passingCases: readonly Case[] = [
  {
    name: '103 Early Hints',
    must: 'pass it on',
    ours: '103 with its link, then 200',
    run: async (target: Target) =>
      parts(
        await ask(
          target,
          get('/page'),
          raw(
            'HTTP/1.1 103 Early Hints',
            'Link: </a.css>; rel=preload',
            '',
            'HTTP/1.1 200 OK',
            'Content-Length: 2',
            '',
            'ok',
          ),
          (text) => text.includes('ok'),
        ),
        {
          '103 with its link': /^HTTP\/1.1 103 [\s\S]*Link: <\/a.css>; rel=preload\r\n/i,
          'then 200': /HTTP\/1.1 200 /,
        },
      ),
  },
  {
    name: '100 Continue',
    must: 'tell the client to go on',
    ours: '100, 200; upstream: POST with its body',
    async run(target: Target) {
      const { port, upstream } = target;
      upstream.reset();
      const client = new RawClient(port);
      try {
        client.send(
          'POST /api/stock HTTP/1.1',
          'Host: fig',
          'Content-Length: 3',
          'Expect: 100-continue',
          '',
          '',
        );
        await eventually(() => client.statuses.includes(100));
        client.send('abc');
        await eventually(() => client.statuses.length === 2);
        const body = upstream.seen[0]?.body === 'abc' ? 'with its body' : 'without it';
        return `${client.statuses.join(', ')}; upstream: ${upstream.seen[0]?.method} ${body}`;
      } finally {
        client.close();
      }
    },
  },
  {
    name: 'trailers of an answer',
    must: 'pass them on, or drop them',
    ours: 'chunked, trailers',
    run: async (target: Target) =>
      parts(
        await ask(
          target,
          get('/sum', 'TE: trailers'),
          raw(
            'HTTP/1.1 200 OK',
            'Trailer: X-Sum',
            'Transfer-Encoding: chunked',
            '',
            '2',
            'ab',
            '0',
            'X-Sum: 7',
            '',
            '',
          ),
          (text) => /\r\n0\r\n(.*\r\n)*\r\n$/.test(text),
        ),
        { chunked: /transfer-encoding: chunked/i, trailers: /0\r\nX-Sum: 7\r\n\r\n/i },
      ),
  },
  {
    name: 'trailers of a request',
    must: 'pass them on, or drop them',
    ours: '200, body whole, no trailers',
    async run(target: Target) {
      const text = await ask(
        target,
        'POST /sum HTTP/1.1\r\nHost: fig\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 7\r\n\r\n',
        raw('HTTP/1.1 200 OK', 'Content-Length: 2', '', 'ok'),
        (got) => got.includes('ok'),
      );
      const [seen] = target.upstream.seen;
      return [
        parts(text, { '200': /HTTP\/1.1 200 / }),
        seen?.body === 'ab' ? 'body whole' : 'body broken',
        seen?.trailers === '' ? 'no trailers' : 'trailers',
      ].join(', ');
    },
  },
  {
    name: 'HEAD with a Content-Length',
    must: 'no body, the length stays',
    ours: '200, length, then the next answer',
    run: async (target: Target) =>
      parts(
        await ask(
          target,
          `HEAD /file HTTP/1.1\r\nHost: fig\r\n\r\n${get('/next')}`,
          (request, socket) => {
            const body = request.method === 'HEAD' ? '' : 'x'.repeat(1_000);
            socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n${body}`);
          },
          (text) => text.includes('x'.repeat(1_000)),
        ),
        {
          '200': /^HTTP\/1.1 200 /,
          length: /content-length: 1000/i,
          'then the next answer': /\r\n\r\nHTTP\/1.1 200 [\s\S]*xxx/,
        },
      ),
  },
  ...[204, 304].map((status) => ({
    name: String(status),
    must: 'no body, the connection goes on',
    ours: `${status}, then the next answer`,
    run: async (target: Target) =>
      parts(
        await ask(
          target,
          get('/none') + get('/next'),
          (request, socket) => {
            if (request.target === '/none')
              socket.write(`HTTP/1.1 ${status} None\r\nETag: "a"\r\n\r\n`);
            else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext');
          },
          (text) => text.includes('next'),
        ),
        {
          [status]: new RegExp(`^HTTP/1.1 ${status} `),
          'then the next answer': /\r\n\r\nHTTP\/1.1 200 [\s\S]*next$/,
        },
      ),
  })),
  {
    name: 'Range',
    must: 'pass both ways',
    ours: '206, range of the answer, range asked for',
    async run(target: Target) {
      const text = await ask(
        target,
        get('/file', 'Range: bytes=0-1', 'If-Range: "a"'),
        raw(
          'HTTP/1.1 206 Partial Content',
          'Content-Range: bytes 0-1/9',
          'Content-Length: 2',
          '',
          'ab',
        ),
        (got) => got.includes('ab'),
      );
      const asked = target.upstream.seen[0]?.headers.get('range') === 'bytes=0-1';
      return `${parts(text, { '206': /^HTTP\/1.1 206 /, 'range of the answer': /content-range: bytes 0-1\/9/i })}, ${asked ? '' : 'no '}range asked for`;
    },
  },
  {
    name: 'Content-Encoding',
    must: 'leave the bytes alone',
    ours: 'gzip, the same bytes',
    run: async (target: Target) =>
      parts(
        await ask(
          target,
          get('/file', 'Accept-Encoding: gzip'),
          raw(
            'HTTP/1.1 200 OK',
            'Content-Encoding: gzip',
            'Content-Length: 4',
            '',
            '\u00ff\u00feZZ',
          ),
          (text) => text.includes('ZZ'),
        ),
        { gzip: /content-encoding: gzip/i, 'the same bytes': /\u00ff\u00feZZ$/ },
      ),
  },
  {
    name: 'several Set-Cookie',
    must: 'keep them apart',
    ours: 'both',
    run: async (target: Target) =>
      parts(
        await ask(
          target,
          get('/login'),
          raw(
            'HTTP/1.1 200 OK',
            'Set-Cookie: a=1, b',
            'Set-Cookie: c=2',
            'Content-Length: 2',
            '',
            'ok',
          ),
          (text) => text.includes('ok'),
        ),
        { both: /set-cookie: a=1, b\r\nset-cookie: c=2\r\n/i },
      ),
  },
  {
    name: 'an answer that ends with its connection',
    must: 'pass it whole',
    ours: '200, whole',
    run: async (target: Target) =>
      parts(
        await ask(
          target,
          get('/old', 'Connection: close'),
          (_request, socket) => {
            socket.end('HTTP/1.0 200 OK\r\n\r\nuntil the end');
          },
          (_text, client) => client.ending !== undefined,
        ),
        { '200': /^HTTP\/1.1 200 /, whole: /until the end/ },
      ),
  },
  {
    name: 'headers for one hop',
    must: 'drop them both ways',
    ours: 'dropped, dropped in the answer',
    async run(target: Target) {
      const text = await ask(
        target,
        get(
          '/hop',
          'Connection: keep-alive, X-Hop',
          'X-Hop: 1',
          'Keep-Alive: timeout=9',
          'Proxy-Connection: x',
          'TE: trailers',
        ),
        raw('HTTP/1.1 200 OK', 'Connection: X-Back', 'X-Back: 1', 'Content-Length: 2', '', 'ok'),
        (got) => got.endsWith('ok'),
      );
      const seen = target.upstream.seen[0]?.headers;
      const kept = ['x-hop', 'keep-alive', 'proxy-connection', 'te'].filter((name) =>
        seen?.has(name),
      );
      const back = /x-back/i.test(text) ? 'X-Back kept in the answer' : 'dropped in the answer';
      return `${kept.length === 0 ? 'dropped' : `kept: ${kept.join(', ')}`}, ${back}`;
    },
  },
  {
    name: 'server-sent events',
    must: 'each as it comes',
    ours: 'one by one',
    async run(target: Target) {
      const { port, upstream } = target;
      upstream.reset();
      let next = (_text: string): void => undefined;
      upstream.reply = (_request, socket) => {
        socket.write(
          'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Accel-Buffering: no\r\n\r\n',
        );
        next = (text) => void socket.write(text);
      };
      const client = new RawClient(port).send('GET /events HTTP/1.1', 'Host: fig', '', '');
      try {
        await eventually(() => client.text.includes('\r\n\r\n'));
        for (const event of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
          next(event);
          await eventually(() => client.text.includes(event), { timeoutMs: 1_000, intervalMs: 5 });
        }
        return 'one by one';
      } catch {
        return 'held back';
      } finally {
        client.close();
      }
    },
  },
  {
    name: 'WebSocket',
    must: 'pass both ways',
    ours: '101, both ways',
    async run(target: Target) {
      const { port, upstream } = target;
      upstream.reset();
      upstream.reply = (request, socket) => {
        if (request.headers.get('upgrade') !== 'websocket') return;
        socket.removeAllListeners('data');
        socket.on('data', (chunk) => socket.write(chunk));
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
        );
      };
      const client = new RawClient(port);
      try {
        client.send(
          'GET /socket HTTP/1.1',
          'Host: fig',
          'Connection: Upgrade',
          'Upgrade: websocket',
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
          'Sec-WebSocket-Version: 13',
          '',
          '',
        );
        await eventually(() => client.statuses.includes(101), { timeoutMs: 2_000 });
        client.send('\x81\x02hi');
        await eventually(() => client.text.endsWith('\x81\x02hi'), { timeoutMs: 2_000 });
        return '101, both ways';
      } catch {
        return client.statuses.join(' ') || 'nothing';
      } finally {
        client.close();
      }
    },
  },
].map((each) => ({ group: 'Streaming', ...each }));
