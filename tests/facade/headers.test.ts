import { describe, expect, it } from '@jest/globals';
import type { FigConfigInput } from '../../strangler/routing/index.ts';
import { eventually, request } from '../support/index.ts';
import { RawClient } from './raw-client.ts';
import { withStand } from './stand.ts';

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
});
