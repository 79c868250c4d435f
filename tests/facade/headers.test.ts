import { describe, expect, it } from '@jest/globals';
import type { FigConfigInput } from '../../routing/index.ts';
import { eventually, request } from '../support/index.ts';
import { RawClient } from './raw-client.ts';
import { withStand } from './stand.ts';
import type { Received } from './stand.ts';

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

  it('that ask for another method or path than the one decided on go no further', async () => {
    const overriding = [
      'X-HTTP-Method-Override: DELETE',
      'x_http_method_override: DELETE',
      'X-Original-URL: /admin',
      'X-Rewrite-URL: /admin',
      'X-Own: 1',
    ];
    const seen = (config: Partial<FigConfigInput>): Promise<string[]> => {
      let names: string[] = [];
      const asked = withStand({ config }, async ({ port, legacy }) => {
        const client = new RawClient(port).get('/api/stock', ...overriding);
        await eventually(() => client.statuses.length === 1);
        client.close();
        names = Object.keys(legacy.received[0]?.headers ?? {}).filter((name) =>
          /^x.(?:http|orig|rewr|own)/.test(name),
        );
      });
      return asked.then(() => names);
    };
    expect(await seen({})).toEqual(['x-own']);
    expect(await seen({ droppedHeaders: ['x-own'] })).toEqual([
      'x-http-method-override',
      'x_http_method_override',
      'x-original-url',
      'x-rewrite-url',
    ]);
  });

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

  it.each(['/x', '/api/stock'])(
    'of a request to %s arrive all, or it is refused for having too many',
    (path) =>
      withStand({}, async ({ port, monolith, legacy }) => {
        const upstream = path === '/x' ? monolith : legacy;
        const ends = ['X-Customer-Id: C1', 'Content-Length: 3'];
        const statuses: number[] = [];
        const counts = Array.from({ length: 51 }, (_unused, index) => 960 + index);
        for (const count of counts) {
          const many = Array.from(
            { length: count - 1 - ends.length },
            (_unused, index) => `X-${index}: b`,
          );
          upstream.received.length = 0;
          const client = new RawClient(port);
          client.send(`POST ${path} HTTP/1.1`, 'Host: fig', ...many, ...ends, '', 'abc');
          await eventually(() => client.statuses.length === 1);
          client.close();
          statuses.push(client.statuses[0] ?? 0);
          if (client.statuses[0] === 431) {
            expect(client.text).toContain('the headers are over 980 lines');
            expect(upstream.received).toEqual([]);
            continue;
          }
          const [{ headers, rawHeaders, body }] = upstream.received as [Received];
          expect([count, rawHeaders.filter((each) => /^X-\d+$/.test(each)).length, body]).toEqual([
            count,
            many.length,
            'abc',
          ]);
          expect(headers).toMatchObject({
            'x-customer-id': 'C1',
            'content-length': '3',
            'x-forwarded-host': 'fig',
            via: '1.1 fig',
          });
        }
        expect(statuses).toEqual(counts.map((count) => (count <= 980 ? 200 : 431)));
      }),
    60_000,
  );

  it("are counted by a server of ours that is asked itself, such as the operators'", () =>
    withStand({}, async ({ adminUrl }) => {
      const counts = [999, 1_000, 1_001, 1_500];
      const answers = counts.map(async (count) => {
        const client = new RawClient(Number(new URL(adminUrl).port));
        const many = Array.from({ length: count - 2 }, (_unused, index) => `X-${index}: b`);
        client.send('GET /livez HTTP/1.1', ...many, 'Host: localhost', 'Connection: close', '', '');
        await eventually(() => client.ending !== undefined);
        const isProblem = client.text.includes('"code":"headers_too_large"');
        return [count, client.statuses[0], isProblem];
      });
      expect(await Promise.all(answers)).toEqual([
        [999, 200, false],
        [1_000, 200, false],
        [1_001, 431, true],
        [1_500, 431, true],
      ]);
    }));

  it('of answers arrive all, however many there are', () =>
    withStand({}, async ({ port, monolith, legacy }) => {
      for (const { path, upstream, asked = [] } of [
        { path: '/x', upstream: monolith },
        { path: '/api/stock', upstream: legacy },
        { path: '/x', upstream: monolith, asked: ['Connection: Upgrade', 'Upgrade: websocket'] },
      ]) {
        upstream.answer = (_req, res) => {
          const lines = Array.from({ length: 1_200 }, (_unused, index) => [`X-${index}`, 'b']);
          res.writeHead(200, [...lines, ['Content-Length', '2']].flat()).end('ok');
        };
        const client = new RawClient(port).get(path, ...asked);
        await eventually(() => client.text.endsWith('\r\n\r\nok'));
        expect(client.text.match(/^X-\d+: b$/gm)).toHaveLength(1_200);
        client.close();
      }
    }));

  it('of answers over 16 KB are a failure of the upstream, with its cause', () =>
    withStand({}, async ({ url, adminUrl, monolith }) => {
      monolith.answer = (_req, res) => {
        res.writeHead(200, { 'x-large': 'a'.repeat(20_000) }).end('ok');
      };
      const { status, body } = await request('GET', `${url}/x`);
      expect({ status, body }).toMatchObject({
        status: 502,
        body: { code: 'upstream_unavailable' },
      });
      const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
      expect(metrics).toMatch(/^fig_upstream_failures_total\{[^}]*cause="[^"]+"[^}]*\} 1$/m);
    }));
});
