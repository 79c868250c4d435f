import { describe, expect, it } from '@jest/globals';
import type { FigConfigInput } from '../../routing/index.ts';
import { eventually, request } from '../support/index.ts';
import type { Answer } from '../support/index.ts';
import { pushedNews, status } from './pushed-news.ts';
import { fenced, json, routingState, withStand } from './stand.ts';
import type { Fixture, Stand } from './stand.ts';

type Cache = NonNullable<NonNullable<FigConfigInput['gateway']>['cache']>;

const MINUTE_MS = 60_000;
const CACHE: Cache = {
  routes: [
    { path: '/brief/*', ttlMs: 1, staleIfErrorMs: MINUTE_MS },
    { path: '/things/*', ttlMs: MINUTE_MS },
    { path: '/api/stock/*', ttlMs: MINUTE_MS, staleIfErrorMs: MINUTE_MS },
  ],
};

const { publish, withPushedNews } = pushedNews();

/** Answers with a number that grows, and these headers. */
function counting(headers: Record<string, string> = {}): Fixture['answer'] {
  let count = 0;
  return (_req, res) => {
    count += 1;
    const text = JSON.stringify({ n: count });
    res.writeHead(200, { 'content-type': 'application/json', ...headers });
    res.end(text);
  };
}

function withCache(use: (stand: Stand) => Promise<void>, more: Partial<Cache> = {}): Promise<void> {
  return withStand({ config: { gateway: { cache: { ...CACHE, ...more } } } }, async (stand) => {
    stand.monolith.answer = counting();
    await use(stand);
  });
}

const get = ({ url }: Stand, path = '/things/1', headers: Record<string, string> = {}) =>
  request<{ n: number }>('GET', url + path, { headers });
const told = ({ headers }: Answer): unknown => headers['cache-status'];

describe('an answer that is kept', () => {
  it('is given again without asking the upstream, with its age', () =>
    withCache(async (stand) => {
      const first = await get(stand);
      expect([first.body, told(first)]).toEqual([{ n: 1 }, 'fig; fwd=miss; stored']);
      const second = await get(stand);
      expect(second).toMatchObject({
        status: 200,
        body: { n: 1 },
        headers: { age: '0', 'content-type': 'application/json', etag: first.headers['etag'] },
      });
      expect(told(second)).toMatch(/^fig; hit; ttl=5\d$/);
      const head = await request('HEAD', `${stand.url}/things/1`);
      expect([head.status, head.headers['content-length'], head.body]).toEqual([
        200,
        '7',
        undefined,
      ]);
      expect((await get(stand, '/things/1?x=1')).body).toEqual({ n: 2 });
      expect((await get(stand, '/things/2')).body).toEqual({ n: 3 });
      expect(told(await get(stand, '/other'))).toBeUndefined();
      expect(stand.monolith.received).toHaveLength(4);
    }));

  it('is not sent again to a client that has it', () =>
    withCache(async (stand) => {
      const { etag } = (await get(stand)).headers as { etag: string };
      for (const wanted of [etag, `"x", W/${etag}`, '*']) {
        const again = await get(stand, '/things/1', { 'if-none-match': wanted });
        expect([again.status, again.body, again.headers['etag']]).toEqual([304, undefined, etag]);
        expect(again.headers).not.toHaveProperty('content-length');
      }
      expect((await get(stand, '/things/1', { 'if-none-match': '"x"' })).status).toBe(200);
      expect(stand.monolith.received).toHaveLength(1);
      // The first to ask may have it already, too: the upstream is asked for the whole all the same.
      stand.monolith.answer = (_req, res) => res.writeHead(200, { etag: 'W/"own"' }).end('body');
      const first = await get(stand, '/things/2', { 'if-none-match': '"own"' });
      expect(first.status).toBe(304);
      expect(stand.monolith.received[1]?.headers).not.toHaveProperty('if-none-match');
      expect((await get(stand, '/things/2')).body).toBe('body');
      expect(stand.monolith.received).toHaveLength(2);
    }));

  it('is asked for anew when the client says so', () =>
    withCache(async (stand) => {
      await get(stand);
      const reload = { 'cache-control': 'no-cache' };
      expect((await get(stand, '/things/1', reload)).body).toEqual({ n: 2 });
      expect((await get(stand, '/things/1', { 'cache-control': 'max-age=0' })).body).toEqual({
        n: 3,
      });
      expect((await get(stand)).body).toEqual({ n: 3 });
      const secret = await get(stand, '/things/1', { 'cache-control': 'no-store' });
      expect([secret.body, told(secret)]).toEqual([{ n: 4 }, 'fig; fwd=bypass; detail=request']);
      expect((await get(stand)).body).toEqual({ n: 3 });
    }));

  it.each([
    { 'cache-control': 'no-store' },
    { 'cache-control': 'private, max-age=60' },
    { 'cache-control': 'no-cache' },
    { 'cache-control': 'max-age=0' },
    { 'cache-control': 'max-age=60, s-maxage=0' },
    { 'cache-control': 'max-age=5', age: '6' },
    { expires: '0' },
    { vary: '*' },
    { 'set-cookie': 'a=1' },
  ])('is none that its upstream does not allow: %j', (headers) =>
    withCache(async (stand) => {
      stand.monolith.answer = counting(headers);
      await get(stand);
      const second = await get(stand);
      expect([second.body, told(second)]).toEqual([{ n: 2 }, 'fig; fwd=miss']);
    }),
  );

  it('is no event stream, whose pieces pass as they come', () =>
    withCache(async (stand) => {
      stand.monolith.answer = (_req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write('data: 1\n\n');
      };
      const leaving = new AbortController();
      const { body } = await fetch(`${stand.url}/things/1`, { signal: leaving.signal });
      const piece = await body?.getReader().read();
      expect(Buffer.from(piece?.value ?? []).toString()).toBe('data: 1\n\n');
      leaving.abort();
    }));

  it.each([404, 500, 206, 301])('is none of status %i', (code) =>
    withCache(async (stand) => {
      stand.monolith.answer = (_req, res) => json(res, code, {});
      await get(stand);
      await get(stand);
      expect(stand.monolith.received).toHaveLength(2);
    }),
  );

  it('depends on the headers that its upstream names', () =>
    withCache(async (stand) => {
      stand.monolith.answer = counting({ vary: 'Accept-Language' });
      const ask = async (language: string) =>
        (await get(stand, '/things/1', { 'accept-language': language })).body.n;
      expect([await ask('de'), await ask('en'), await ask('de'), await ask('en')]).toEqual([
        1, 2, 1, 2,
      ]);
    }));

  it('is never another caller’s, unless it is public', () =>
    withCache(async (stand) => {
      const ask = async (path: string, headers: Record<string, string>) =>
        (await get(stand, path, headers)).body.n;
      const callers: Record<string, string>[] = [
        {},
        { authorization: 'Bearer a' },
        { authorization: 'Bearer b' },
        { cookie: 's=1' },
        { 'x-customer-id': 'CORK' },
        { 'x-customer-id': 'BREST' },
      ];
      const seen: number[] = [];
      for (const caller of [...callers, ...callers]) seen.push(await ask('/things/own', caller));
      expect(seen).toEqual([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]);
      stand.monolith.answer = counting({ 'cache-control': 'public, max-age=60' });
      for (const caller of callers) expect(await ask('/things/public', caller)).toBe(1);
    }));

  it('is bounded in its own size, and in that of all', () =>
    withCache(
      async (stand) => {
        stand.monolith.answer = (req, res) => res.end('x'.repeat(Number(req.url?.split('/')[2])));
        await get(stand, '/things/5001');
        expect(told(await get(stand, '/things/5001'))).toBe('fig; fwd=miss');
        for (const size of ['4000', '4001', '4002', '4003']) await get(stand, `/things/${size}`);
        expect(told(await get(stand, '/things/4000'))).toBe('fig; fwd=miss; stored');
        expect(told(await get(stand, '/things/4003'))).toContain('hit');
      },
      { maxBytes: 12_000, entryBytes: 5_000 },
    ));

  it('counts no more once something was written there, and is not read into a write', () =>
    withCache(async (stand) => {
      await get(stand);
      await request('POST', `${stand.url}/things/1`, { body: {} });
      expect((await get(stand)).body).toEqual({ n: 3 });
      // A read that was sent before a write, and answered after it, may show what was before.
      const answers: (() => void)[] = [];
      const count = counting();
      stand.monolith.answer = (req, res, body) => {
        if (req.method === 'GET') answers.push(() => count(req, res, body));
        else json(res, 200, {});
      };
      const early = get(stand, '/things/early');
      await eventually(() => answers.length === 1);
      await request('POST', `${stand.url}/things/early`, { body: {} });
      answers[0]?.();
      expect(told(await early)).toBe('fig; fwd=miss');
      const late = get(stand, '/things/early');
      await eventually(() => answers.length === 2);
      answers[1]?.();
      expect((await late).body).toEqual({ n: 2 });
    }));
});

describe('an answer that is old', () => {
  const failures: [string, Fixture['answer']][] = [
    ['answers 503', (_req, res) => json(res, 503, {})],
    ['breaks off', (req) => req.socket.destroy()],
  ];

  it.each(failures)('is given where the upstream %s, and marked', (_what, fail) =>
    withCache(async (stand) => {
      await get(stand, '/brief/1');
      stand.monolith.answer = fail;
      const answer = await get(stand, '/brief/1');
      expect([answer.status, answer.body]).toEqual([200, { n: 1 }]);
      expect(told(answer)).toMatch(
        /^fig; fwd=stale; fwd-status=50[23]; ttl=-\d; detail=stale_if_error$/,
      );
      expect(answer.headers).toHaveProperty('age');
      stand.monolith.answer = (_req, res) => json(res, 200, { n: 9 });
      expect((await get(stand, '/brief/1')).body).toEqual({ n: 9 });
      const { body } = await request('GET', `${stand.adminUrl}/metrics`);
      expect(body).toContain('fig_cache_requests_total{result="stale"} 1');
    }),
  );

  it('is not given where none may be, nor for what the client did wrong', () =>
    withCache(async (stand) => {
      stand.monolith.answer = counting({ 'cache-control': 'max-age=1, must-revalidate' });
      await get(stand, '/brief/must');
      stand.monolith.answer = counting();
      await get(stand, '/brief/1');
      stand.monolith.answer = (_req, res) => json(res, 500, {});
      expect((await get(stand, '/brief/must')).status).toBe(500);
      expect((await get(stand, '/brief/never')).status).toBe(500);
      stand.monolith.answer = (_req, res) => json(res, 404, {});
      expect((await get(stand, '/brief/1')).status).toBe(404);
    }));
});

describe('a capability', () => {
  const STOCK_URL = '/api/stock/A';
  const gateway = { gateway: { cache: CACHE } };

  /** Both sides show one value, as if each write had reached them at once. */
  function withValue(use: (stand: Stand, value: { n: number }) => Promise<void>): Promise<void> {
    return withPushedNews(async (stand) => {
      const value = { n: 0 };
      const answer: Fixture['answer'] = (req, res) => {
        if (req.method !== 'GET') value.n += 1;
        json(res, req.method === 'GET' ? 200 : 201, value);
      };
      stand.legacy.answer = answer;
      stand.extracted.answer = answer;
      await use(stand, value);
    }, gateway);
  }

  const isCached = async (stand: Stand, headers = {}) => {
    const first = told(await get(stand, STOCK_URL, headers));
    const second = told(await get(stand, STOCK_URL, headers));
    return String(first).includes('hit') || String(second).includes('hit');
  };

  const inFlight = async ({ adminUrl }: Stand) =>
    (await request<{ inFlight: number }>('GET', `${adminUrl}/status`)).body.inFlight;

  it('is cached only while one side answers everybody', () =>
    withValue(async (stand) => {
      await eventually(() => isCached(stand));
      for (const flags of [
        { 'stock.shadow': 1 },
        { 'stock.shadow': 0, 'stock.reads': 1 },
        { 'stock.reads': 100 },
        { 'stock.reads': 0, 'stock.writes': 100 },
      ]) {
        await stand.flags(flags);
        await eventually(async () => {
          const answer = told(await get(stand, STOCK_URL));
          return answer === 'fig; fwd=bypass; detail=moving';
        });
      }
      await stand.flags({ 'stock.writes': 0 });
      await eventually(() => isCached(stand));
      await publish(stand, routingState('stock', { holding: true, generation: 2 }));
      await eventually(async () => (await status(stand)).capabilities[0].holding);
      const paused = request('GET', stand.url + STOCK_URL);
      await eventually(async () => (await inFlight(stand)) === 1);
      await publish(stand, routingState('stock', { generation: 3 }));
      expect(told(await paused)).toBe('fig; fwd=bypass; detail=moving');
    }));

  it('shows no customer less than what that customer has written', () =>
    withValue(async (stand, value) => {
      const headers = { 'x-customer-id': 'CORK' };
      await eventually(() => isCached(stand, headers));
      const barriers: (() => void)[] = [];
      const { answer } = stand.engine;
      stand.engine.answer = (req, res, body) => {
        if (req.url?.startsWith('/barrier')) barriers.push(() => answer(req, res, body));
        else answer(req, res, body);
      };
      await request('POST', `${stand.url}${STOCK_URL}/moves`, { body: {}, headers });
      for (let n = 0; n < 3; n += 1) {
        const read = await get(stand, STOCK_URL, headers);
        expect([read.body.n, told(read)]).toEqual([value.n, 'fig; fwd=bypass; detail=own_write']);
      }
      await eventually(async () => {
        for (const each of barriers.splice(0)) each();
        return isCached(stand, headers);
      });
    }));

  it('is never shown as it was before a handover: 0 stale of all reads', () =>
    withValue(async (stand, value) => {
      await eventually(() => isCached(stand));
      const found = { stale: 0, failed: 0, hits: 0 };
      let answered = 0;
      let isDone = false;
      // A read that begins after a write was answered has to show it.
      const read = async (): Promise<void> => {
        while (!isDone) {
          const least = answered;
          const answer = await get(stand, STOCK_URL);
          if (answer.status !== 200) found.failed += 1;
          else if (answer.body.n < least) found.stale += 1;
          if (String(told(answer)).includes('hit')) found.hits += 1;
        }
      };
      const write = async (): Promise<void> => {
        while (!isDone) {
          const url = `${stand.url}${STOCK_URL}/moves`;
          const made = await request<{ n: number }>('POST', url, { body: {} });
          if (made.status === 201) answered = made.body.n;
          else found.failed += 1;
          const { hits } = found;
          await eventually(() => isDone || isMoving || found.hits > hits);
        }
      };
      let isMoving = false;
      const clients = [read(), read(), write()];
      const state = { owner: 'legacy' as 'legacy' | 'extracted', epoch: 1, generation: 1 };
      const tell = async (holding: boolean): Promise<void> => {
        state.generation += 1;
        await publish(stand, routingState('stock', { ...state, holding }));
        await eventually(async () => {
          const [{ owner, holding: held }] = (await status(stand)).capabilities;
          return owner === state.owner && held === holding;
        });
      };
      for (const owner of ['extracted', 'legacy', 'extracted'] as const) {
        const before = answered;
        await eventually(() => answered > before + 2);
        isMoving = true;
        await tell(true);
        const from = stand[state.owner];
        const { answer: open } = from;
        state.owner = owner;
        state.epoch += 1;
        const { epoch } = state;
        from.answer = (req, res, body) => {
          if (req.method === 'GET') open(req, res, body);
          else fenced(res, 'stock', 'ceded', epoch);
        };
        stand[owner].answer = open;
        const on = owner === 'extracted' ? 100 : 0;
        await stand.flags({ 'stock.reads': on, 'stock.writes': on });
        await tell(false);
        isMoving = false;
        const { hits } = found;
        await eventually(() => found.hits > hits);
      }
      isDone = true;
      await Promise.all(clients);
      expect(found).toMatchObject({ stale: 0, failed: 0 });
      expect(answered).toBe(value.n);
    }));
});

it('gives each version its own words', () =>
  withStand(
    {
      config: {
        gateway: {
          cache: { routes: [{ path: '/api/things/*', ttlMs: MINUTE_MS }] },
          versions: {
            unversioned: { deprecated: '2026-01-02' },
            translated: {
              v2: [{ path: '/api/things/:id', answer: (body) => ({ value: body }) }],
            },
          },
        },
      },
    },
    async (stand) => {
      stand.monolith.answer = counting();
      for (const again of [false, true]) {
        const old = await get(stand, '/api/things/1');
        const v1 = await get(stand, '/api/v1/things/1');
        const v2 = await get(stand, '/api/v2/things/1');
        expect([old.body, v1.body, v2.body]).toEqual([{ n: 1 }, { n: 2 }, { value: { n: 3 } }]);
        expect(old.headers).toHaveProperty('deprecation');
        for (const each of [old, v1, v2]) expect(String(told(each)).includes('hit')).toBe(again);
      }
      const { etag } = (await get(stand, '/api/v2/things/1')).headers as { etag: string };
      expect((await get(stand, '/api/v2/things/1', { 'if-none-match': etag })).status).toBe(304);
    },
  ));
