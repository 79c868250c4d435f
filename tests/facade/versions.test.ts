import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { Problem } from '../../chassis/index.ts';
import { defineConfig } from '../../routing/index.ts';
import type { FigConfigInput } from '../../routing/index.ts';
import { eventually, request, withTempDir } from '../support/index.ts';
import { pushedNews, status } from './pushed-news.ts';
import { RawClient } from './raw-client.ts';
import { fenced, json, routingState, withStand } from './stand.ts';
import type { Fixture, Stand } from './stand.ts';
import { STOCK } from './stock.ts';

type Versions = NonNullable<NonNullable<FigConfigInput['gateway']>['versions']>;
interface Old {
  readonly onHand: number;
}
interface New {
  readonly level?: { readonly onHand?: unknown };
}

/** Version 2 says `{ level: { onHand } }` where upstreams say `{ onHand }`. */
const toNew = (body: unknown, code: number): unknown =>
  code < 300 ? { level: { onHand: (body as Old).onHand } } : body;
const toOld = (body: unknown): unknown => {
  const onHand = (body as New).level?.onHand;
  if (onHand === undefined) throw new Problem(400, 'invalid_request', 'level.onHand is missing');
  return { onHand };
};

const VERSIONS: Versions = {
  unversioned: { deprecated: '2026-01-02', sunset: '2027-01-02' },
  translated: {
    v2: [
      { path: '/api/stock/:sku', methods: ['GET'], answer: toNew },
      { path: '/api/stock/:sku/moves', methods: ['POST'], request: toOld, answer: toNew },
    ],
  },
};
const GATEWAY = { gateway: { versions: VERSIONS } };
const SEVEN: Fixture['answer'] = (_req, res) => json(res, 200, { onHand: 7 });
const NEW_SEVEN = { level: { onHand: 7 } };

const { publish, withPushedNews } = pushedNews();

function withVersions(
  use: (stand: Stand) => Promise<void>,
  more: Partial<FigConfigInput> = {},
): Promise<void> {
  return withStand({ config: { ...GATEWAY, ...more } }, async (stand) => {
    stand.legacy.answer = SEVEN;
    stand.extracted.answer = SEVEN;
    await use(stand);
  });
}

describe('a version that upstreams speak', () => {
  it('is the same route as the path without one, which is marked', () =>
    withVersions(async ({ url, legacy }) => {
      for (const path of ['/api/v1/stock/A?x=/v2', '/api/V1/stock/A?x=/v2', '/API/v1//stock/A']) {
        const { status: code, headers } = await request('GET', url + path);
        expect([path, code, headers]).toMatchObject([path, 200, {}]);
        expect(headers).not.toHaveProperty('deprecation');
      }
      const { headers } = await request('GET', `${url}/api/stock/A?x=1`);
      expect(headers).toMatchObject({
        deprecation: '@1767312000',
        sunset: 'Sat, 02 Jan 2027 00:00:00 GMT',
        link: '</api/v1/stock/A?x=1>; rel="successor-version"',
      });
      expect(legacy.received.map((each) => each.url)).toEqual([
        '/api/stock/A?x=/v2',
        '/api/stock/A?x=/v2',
        '/API/stock/A',
        '/api/stock/A?x=1',
      ]);
      // Beside the base there are no versions.
      expect((await request('GET', `${url}/other`)).headers).not.toHaveProperty('deprecation');
      expect((await request('GET', `${url}/v9/other`)).status).toBe(200);
    }));

  it('has the access rules of the path without one', () =>
    withTempDir((folder) =>
      withVersions(
        async ({ url, legacy, monolith }) => {
          for (const version of ['', '/v1', '/V1', '/v2']) {
            const path = `/api${version}/stock/A`;
            expect([path, (await request('GET', url + path)).status]).toEqual([path, 401]);
            const open = `/api${version}/stock/open`;
            expect([open, (await request('GET', url + open)).status]).toEqual([open, 200]);
          }
          expect(legacy.received).toHaveLength(4);
          expect(monolith.received).toEqual([]);
        },
        {
          gateway: {
            versions: VERSIONS,
            auth: {
              issuer: 'i',
              audience: 'a',
              secretFile: join(folder, 'secret'),
              rules: [{ path: '/api/stock/open', anyone: true }],
            },
          },
        },
      ),
    ));
});

describe('a version that is not there', () => {
  it('is a problem that names those that are', () =>
    withVersions(async ({ url, legacy, monolith, port }) => {
      for (const path of [
        '/api/v3/stock/A',
        '/api/v01/stock/A',
        '/api/v2/stock',
        '/api/v2/orders',
        '/api/v1/v2/stock/A',
        '/api/v2',
      ]) {
        const answer = await request('GET', url + path);
        expect([path, answer]).toMatchObject([
          path,
          { status: 404, body: { code: 'unknown_version', versions: ['v1', 'v2'] } },
        ]);
      }
      expect((await request('DELETE', `${url}/api/v2/stock/A`)).status).toBe(404);
      for (const path of ['/api%2Fv2/stock/A', '/api/v2%2Fstock%2FA', '/api/v1%5cstock/A']) {
        expect([path, (await request('GET', url + path)).status]).toEqual([path, 400]);
      }
      const socket = new RawClient(port).get(
        '/api/v2/stock/A',
        'Upgrade: websocket',
        'Connection: upgrade',
        'Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==',
        'Sec-WebSocket-Version: 13',
      );
      await eventually(() => socket.statuses.length > 0);
      expect(socket.statuses).toEqual([404]);
      socket.socket.destroy();
      expect([...legacy.received, ...monolith.received]).toEqual([]);
    }));

  it('is refused in a configuration that translates the spoken one', () => {
    const base = { upstreams: { m: 'http://127.0.0.1:1' }, monolith: 'm', capabilities: {} };
    const config = (versions: unknown) =>
      defineConfig({ ...base, gateway: { versions } } as FigConfigInput);
    expect(() => config({ translated: { v1: [{ path: '/x' }] } })).toThrow('spoken version');
    expect(() => config({ translated: { two: [{ path: '/x' }] } })).toThrow('translated.two');
    expect(() => config({ translated: { v2: [{ path: '/x', answer: 'f' }] } })).toThrow('function');
  });
});

describe('a read of a translated version', () => {
  it('is the same while legacy owns, in the shadow, on the ramp and after the move', () =>
    withPushedNews(async (stand) => {
      const { url, legacy, extracted } = stand;
      legacy.answer = SEVEN;
      extracted.answer = SEVEN;
      const read = () =>
        request('GET', `${url}/api/v2/stock/A`, { headers: { 'x-customer-id': 'CORK' } });
      expect((await read()).body).toEqual(NEW_SEVEN);
      expect(extracted.received).toEqual([]);

      await stand.flags({ 'stock.shadow': 100 });
      await eventually(async () => {
        expect((await read()).body).toEqual(NEW_SEVEN);
        const { capabilities } = (
          await request<{ capabilities: [{ experiments: object }] }>(
            'GET',
            `${stand.adminUrl}/status`,
          )
        ).body;
        expect(capabilities[0].experiments).toMatchObject({ mismatched: 0, errors: 0 });
        return (capabilities[0].experiments as { matched: number }).matched > 0;
      });

      await stand.flags({ 'stock.shadow': 0, 'stock.reads': 100 });
      extracted.received.length = 0;
      await eventually(async () => {
        expect((await read()).body).toEqual(NEW_SEVEN);
        return extracted.received.length > 0;
      });

      await publish(stand, routingState('stock', { owner: 'extracted', epoch: 2 }));
      await eventually(async () => (await status(stand)).capabilities[0].owner === 'extracted');
      legacy.received.length = 0;
      expect((await read()).body).toEqual(NEW_SEVEN);
      expect(legacy.received).toEqual([]);
      for (const { url: asked } of extracted.received) expect(asked).toBe('/api/stock/A');
    }, GATEWAY));

  it('leaves out what is said of the spoken body alone', () =>
    withVersions(async ({ url, legacy }) => {
      legacy.answer = (_req, res) => {
        const body = '{"onHand":7}';
        res.writeHead(200, {
          'content-type': 'application/json',
          'content-length': body.length,
          etag: '"v1"',
          'x-kept': 'yes',
        });
        res.end(body);
      };
      const headers = { 'if-none-match': '"v1"', 'accept-encoding': 'gzip', range: 'bytes=0-1' };
      const answer = await request('GET', `${url}/api/v2/stock/A`, { headers });
      expect(answer).toMatchObject({ status: 200, body: NEW_SEVEN, headers: { 'x-kept': 'yes' } });
      expect(answer.headers).not.toHaveProperty('etag');
      for (const name of Object.keys(headers)) {
        expect(legacy.received[0]?.headers).not.toHaveProperty(name);
      }
      const head = await request('HEAD', `${url}/api/v2/stock/A`);
      expect([head.status, head.headers['content-length']]).toEqual([200, undefined]);
    }));

  it('shows problems, and what is no JSON, as they come', () =>
    withVersions(async ({ url, legacy }) => {
      legacy.answer = (_req, res) => json(res, 404, { code: 'not_found', status: 404 });
      expect(await request('GET', `${url}/api/v2/stock/A`)).toMatchObject({
        status: 404,
        body: { code: 'not_found' },
      });
      legacy.answer = (_req, res) => res.writeHead(502, { 'content-type': 'text/html' }).end('<p>');
      expect(await request('GET', `${url}/api/v2/stock/A`)).toMatchObject({
        status: 502,
        body: '<p>',
      });
    }));

  it('is a bad gateway where the answer can not be translated', () =>
    withVersions(async ({ url, legacy }) => {
      const answers: Fixture['answer'][] = [
        (_req, res) => json(res, 200, null),
        (_req, res) => res.writeHead(200, { 'content-type': 'application/json' }).end('{"onHand":'),
        (_req, res) => json(res, 200, { onHand: 'x'.repeat(4_100_000) }),
      ];
      for (const answer of answers) {
        legacy.answer = answer;
        expect(await request('GET', `${url}/api/v2/stock/A`)).toMatchObject({
          status: 502,
          body: { code: 'translation_failed' },
        });
      }
      legacy.answer = SEVEN;
      expect((await request('GET', `${url}/api/v2/stock/A`)).body).toEqual(NEW_SEVEN);
    }));
});

describe('a write of a translated version', () => {
  const move = ({ url }: Stand, body: unknown = NEW_SEVEN, headers: Record<string, string> = {}) =>
    request('POST', `${url}/api/v2/stock/A/moves`, { body, headers });

  it('meets fences, waits, and is sent again as any other, under its one key', () =>
    withPushedNews(async (stand) => {
      const { legacy, extracted } = stand;
      legacy.answer = (_req, res) => fenced(res, 'stock', 'closed', 2);
      extracted.answer = (_req, res) => fenced(res, 'stock', 'closed', 0);
      const answer = move(stand, NEW_SEVEN, { 'idempotency-key': 'k1' });
      await eventually(async () => (await status(stand)).capabilities[0].holding);
      extracted.answer = SEVEN;
      await publish(stand, routingState('stock', { owner: 'extracted', epoch: 2, generation: 2 }));
      expect(await answer).toMatchObject({ status: 200, body: NEW_SEVEN });
      const all = [...legacy.received, ...extracted.received];
      expect(all.length).toBeGreaterThan(1);
      for (const { url, body, headers } of all) {
        expect([url, body, headers['idempotency-key']]).toEqual([
          '/api/stock/A/moves',
          '{"onHand":7}',
          'k1',
        ]);
      }
    }, GATEWAY));

  it('is given up at its deadline, however often a fence refuses it', () =>
    withPushedNews(
      async (stand) => {
        stand.legacy.answer = (_req, res) => fenced(res, 'stock', 'closed', 2);
        stand.extracted.answer = (_req, res) => fenced(res, 'stock', 'closed', 0);
        const answer = await move(stand);
        // The deadline finds it waiting for news, or under way to a side once more.
        expect([
          [503, 'held_too_long'],
          [504, 'upstream_timeout'],
        ]).toContainEqual([answer.status, (answer.body as { code: string }).code]);
      },
      { ...GATEWAY, limits: { requestMs: 400, holdMs: 60_000 } },
    ));

  it('is sent once more where a connection breaks, the same in every byte', () =>
    withVersions(
      async (stand) => {
        stand.legacy.answer = (req) => {
          stand.legacy.answer = SEVEN;
          req.socket.destroy();
        };
        expect(await move(stand, NEW_SEVEN, { 'idempotency-key': 'k2' })).toMatchObject({
          status: 200,
          body: NEW_SEVEN,
        });
        const [first, second] = stand.legacy.received;
        expect(stand.legacy.received).toHaveLength(2);
        expect(second?.body).toBe(first?.body);
        expect(second?.headers['idempotency-key']).toBe('k2');
      },
      { gateway: { versions: VERSIONS, resilience: { retry: {} } } },
    ));

  it('is refused before anything is sent where its body says too little', () =>
    withVersions(async (stand) => {
      expect(await move(stand, { onHand: 7 })).toMatchObject({
        status: 400,
        body: { code: 'invalid_request' },
      });
      expect(stand.legacy.received).toEqual([]);
    }));

  it('is refused under a condition that nothing could compare', () =>
    withVersions(async ({ url, legacy }) => {
      for (const name of ['if-match', 'If-Unmodified-Since', 'if-none-match']) {
        const refused = await request('POST', `${url}/api/v2/stock/A/moves`, {
          body: { level: { onHand: 7 } },
          headers: { [name]: '*' },
        });
        expect(refused).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
      }
      expect(legacy.received).toEqual([]);
    }));

  it('passes on what is no JSON: its server refuses it', () =>
    withVersions(async ({ url, legacy }) => {
      const bodies = ['{', ''];
      for (const text of bodies) await request('POST', `${url}/api/v2/stock/A/moves`, { text });
      await request('POST', `${url}/api/v2/stock/A/moves`, {
        text: '{"level":{}}',
        headers: { 'content-type': 'text/plain' },
      });
      expect(legacy.received.map(({ body }) => body)).toEqual(['{', '', '{"level":{}}']);
    }));

  it('is read as servers read it, and refused where only they could', () =>
    withVersions(async ({ url, legacy }) => {
      const text = JSON.stringify({ level: { onHand: 7 }, name: 'é' });
      const moves = `${url}/api/v2/stock/A/moves`;
      const sent = (body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
        fetch(moves, {
          method: 'POST',
          body,
          headers: { 'content-type': 'application/json', ...headers },
        });
      const marked = await sent(Buffer.from(`\ufeff${text}`));
      expect([marked.status, legacy.received.at(-1)?.body]).toEqual([200, '{"onHand":7}']);
      const upstream = legacy.received.length;
      // Upstreams that decode these would take a body of version 2 for one of their own.
      const packed = await sent(gzipSync(text), { 'content-encoding': 'gzip' });
      const wide = await sent(Buffer.from(text, 'utf16le'), {
        'content-type': 'application/json; charset=utf-16le',
      });
      for (const answer of [packed, wide]) {
        expect([answer.status, await answer.json()]).toMatchObject([
          415,
          { code: 'unsupported_encoding' },
        ]);
      }
      const broken = await sent(Buffer.from(text, 'latin1'));
      expect([broken.status, await broken.json()]).toMatchObject([400, { code: 'malformed_json' }]);
      expect(legacy.received).toHaveLength(upstream);
    }));

  it('is refused when it is too large to be translated', () =>
    withVersions(
      async (stand) => {
        const large = { level: { onHand: 7 }, text: 'x'.repeat(300) };
        expect(await move(stand, large)).toMatchObject({
          status: 413,
          body: { code: 'body_too_large' },
        });
        expect(stand.legacy.received).toEqual([]);
        expect((await move(stand)).status).toBe(200);
      },
      { limits: { bodyBytes: 200 } },
    ));
});

it('explains a path of any version, and counts each', () =>
  withVersions(
    async ({ url, adminUrl }) => {
      await request('GET', `${url}/api/v2/stock/A`);
      await request('GET', `${url}/api/stock/A`);
      const explain = (path: string) => request('GET', `${adminUrl}/explain?path=${path}`);
      expect((await explain('/api/v2/stock/A')).body).toMatchObject({
        path: '/api/stock/A',
        capability: 'stock',
      });
      expect((await explain('/api/v7/stock/A')).body).toMatchObject({
        refused: { code: 'unknown_version' },
      });
      const { body } = await request('GET', `${adminUrl}/metrics`);
      expect(body).toContain('fig_version_requests_total{version="v2"} 1');
      expect(body).toContain('fig_version_requests_total{version="none"} 1');
    },
    { capabilities: { stock: STOCK } },
  ));
