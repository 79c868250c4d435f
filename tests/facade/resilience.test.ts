import { describe, expect, it } from '@jest/globals';
import type { FigConfigInput } from '../../routing/index.ts';
import { defineConfig } from '../../routing/index.ts';
import { eventually, request, withTempDir } from '../support/index.ts';
import { pushedNews, status } from './pushed-news.ts';
import { RawClient } from './raw-client.ts';
import { withSpawnedFacade } from './spawned-facade.ts';
import { fenced, json, routingState, startFixture, withStand } from './stand.ts';
import type { Fixture, Stand } from './stand.ts';

const { publish, withPushedNews } = pushedNews();

type Resilience = NonNullable<NonNullable<FigConfigInput['gateway']>['resilience']>;

/** Opens with the fourth failure, and does not close within a test. */
const BREAKER = { minimum: 4, openMs: 600_000 };
/** Half-open soon. */
const SHORT = { minimum: 4, openMs: 100, probes: 2 };
const TOKEN = 'for-operators-only-1';

function guarded(resilience: Resilience, more: Partial<FigConfigInput> = {}) {
  return { config: { gateway: { resilience }, ...more } };
}

type Asked = ReturnType<typeof request<{ code?: string; from?: string; detail?: string }>>;

const read = ({ url }: Pick<Stand, 'url'>, headers: Record<string, string> = {}): Asked =>
  request('GET', `${url}/api/stock/1`, { headers });

const write = ({ url }: Pick<Stand, 'url'>, headers: Record<string, string> = {}): Asked =>
  request('POST', `${url}/api/stock`, { body: {}, headers });

async function repeat(times: number, ask: () => Asked): Promise<number[]> {
  const statuses: number[] = [];
  for (let n = 0; n < times; n += 1) statuses.push((await ask()).status);
  return statuses;
}

const ill = (side: Fixture): void => {
  side.answer = (_req, res) => json(res, 500, { from: 'ill' });
};

interface BreakerStatus {
  readonly upstream: string;
  readonly state: string;
  readonly opened: number;
}

async function breakerOf(stand: Pick<Stand, 'adminUrl'>, name: string): Promise<BreakerStatus> {
  const { body } = await request<{ breakers: BreakerStatus[] }>('GET', `${stand.adminUrl}/status`);
  return body.breakers.find(({ upstream }) => upstream === name) as BreakerStatus;
}

async function metrics({ adminUrl }: Pick<Stand, 'adminUrl'>): Promise<string> {
  return (await request<string>('GET', `${adminUrl}/metrics`)).body;
}

describe('a breaker', () => {
  it('opens after answers of 5xx, and then the upstream is not asked', () =>
    withStand(guarded({ breaker: BREAKER }), async (stand) => {
      ill(stand.legacy);
      expect(await repeat(4, () => read(stand))).toEqual([500, 500, 500, 500]);
      expect(await read(stand)).toMatchObject({
        status: 503,
        headers: {
          'content-type': 'application/problem+json; charset=utf-8',
          'retry-after': expect.stringMatching(/^(600|5\d\d)$/),
        },
        body: { code: 'upstream_ill', detail: expect.stringContaining('nothing has happened') },
      });
      expect((await write(stand)).body.code).toBe('upstream_ill');
      expect(stand.legacy.received).toHaveLength(4);
      // Other upstreams have breakers of their own.
      expect((await request('GET', `${stand.url}/other`)).body).toEqual({ from: 'monolith' });
      expect(await breakerOf(stand, 'legacy')).toEqual({
        upstream: 'legacy',
        state: 'open',
        opened: 1,
      });
      expect((await breakerOf(stand, 'monolith')).state).toBe('closed');
      const text = await metrics(stand);
      expect(text).toContain('fig_breaker_state{upstream="legacy",state="open"} 1');
      expect(text).toContain('fig_breaker_state{upstream="legacy",state="closed"} 0');
      expect(text).toContain('fig_breaker_opened_total{upstream="legacy"} 1');
      expect(text).toContain('fig_upstream_failures_total{upstream="legacy",cause="ill"} 2');
    }));

  it('opens after time-outs, and after connections that fail', () =>
    withStand(
      guarded({ breaker: BREAKER }, { limits: { requestMs: 100 } }),
      async ({ url, monolith, legacy }) => {
        monolith.answer = () => undefined;
        const ask = () => request<{ code?: string }>('POST', `${url}/other`);
        expect(await repeat(4, ask)).toEqual([504, 504, 504, 504]);
        expect((await ask()).body.code).toBe('upstream_ill');
        expect(monolith.received).toHaveLength(4);
        await legacy.close();
        expect(await repeat(4, () => read({ url }))).toEqual([502, 502, 502, 502]);
        expect((await read({ url })).body.code).toBe('upstream_ill');
      },
    ));

  it('never opens after 4xx, nor after clients who leave', () =>
    withStand(guarded({ breaker: BREAKER }), async (stand) => {
      const codes = [400, 401, 404, 409, 422, 429];
      stand.legacy.answer = (_req, res) =>
        json(res, codes[stand.legacy.received.length % codes.length] as number, {});
      await repeat(30, () => read(stand));
      expect(stand.legacy.received).toHaveLength(30);
      stand.legacy.answer = () => undefined;
      for (let n = 0; n < 6; n += 1) {
        const client = new RawClient(stand.port).get('/api/stock/1');
        await eventually(() => stand.legacy.received.length === 31 + n);
        client.close();
      }
      await eventually(async () => {
        const { body } = await request<{ inFlight: number }>('GET', `${stand.adminUrl}/status`);
        expect(body.inFlight).toBe(0);
      });
      expect((await breakerOf(stand, 'legacy')).state).toBe('closed');
    }));

  it('lets so many requests through after a while, and closes when these are answered well', () =>
    withStand(guarded({ breaker: SHORT }), async (stand) => {
      ill(stand.legacy);
      await repeat(4, () => read(stand));
      await eventually(async () =>
        expect((await breakerOf(stand, 'legacy')).state).toBe('half_open'),
      );
      // Still ill: the first of them opens it again.
      expect((await read(stand)).status).toBe(500);
      expect((await breakerOf(stand, 'legacy')).opened).toBe(2);
      const waiting: (() => void)[] = [];
      stand.legacy.answer = (_req, res) => waiting.push(() => json(res, 200, {}));
      await eventually(async () =>
        expect((await breakerOf(stand, 'legacy')).state).toBe('half_open'),
      );
      stand.legacy.received.length = 0;
      const told: number[] = [];
      const asked = Array.from({ length: 10 }, async () => {
        const answer = await read(stand);
        told.push(answer.status);
        return answer;
      });
      await eventually(() => waiting.length === 2 && told.length === 8);
      expect(new Set(told)).toEqual(new Set([503]));
      expect(stand.legacy.received).toHaveLength(2);
      for (const go of waiting) go();
      const all = (await Promise.all(asked)).map((each) => each.status);
      expect(all.filter((each) => each === 200)).toHaveLength(2);
      expect((await breakerOf(stand, 'legacy')).state).toBe('closed');
      stand.legacy.answer = (_req, res) => json(res, 200, {});
      expect(await repeat(3, () => read(stand))).toEqual([200, 200, 200]);
    }));

  it('is told to operators with each answer, and to no other caller', () =>
    withStand(guarded({ breaker: BREAKER }, { timingToken: TOKEN }), async (stand) => {
      const operator = { 'x-fig-token': TOKEN };
      expect((await read(stand, operator)).headers['x-fig-breaker']).toBe('legacy;state=closed');
      ill(stand.legacy);
      await repeat(5, () => read(stand));
      const shed = await read(stand, operator);
      expect(shed).toMatchObject({
        status: 503,
        headers: { 'x-fig-breaker': 'legacy;state=open' },
      });
      expect((await read(stand)).headers).not.toHaveProperty('x-fig-breaker');
    }));

  it('stands before upgrades, too', () =>
    withStand(guarded({ breaker: BREAKER }), async ({ url, port, monolith }) => {
      ill(monolith);
      await repeat(4, () => request('GET', `${url}/other`));
      const client = new RawClient(port);
      client.get('/socket', 'Connection: Upgrade', 'Upgrade: websocket');
      await eventually(() => client.text.includes('upstream_ill'));
      expect(client.statuses).toEqual([503]);
      expect(monolith.received).toHaveLength(4);
      client.close();
    }));

  it('spares an upstream the reads that are only compared', () =>
    withStand(guarded({ breaker: BREAKER }), async (stand) => {
      ill(stand.extracted);
      await stand.flags({ 'stock.shadow': 100 });
      await eventually(async () => {
        await read(stand, { 'x-customer-id': 'C1' });
        expect((await breakerOf(stand, 'extracted')).state).toBe('open');
      });
      const asked = stand.extracted.received.length;
      const kept = async (): Promise<number> => {
        const text = await metrics(stand);
        const found = /fig_upstream_failures_total\{upstream="extracted",cause="ill"\} (\d+)/.exec(
          text,
        );
        return Number(found?.[1] ?? 0);
      };
      const before = await kept();
      expect(await repeat(3, () => read(stand))).toEqual([200, 200, 200]);
      await eventually(async () => expect(await kept()).toBeGreaterThan(before));
      expect(stand.extracted.received).toHaveLength(asked);
    }));

  it('is one of each worker, and operators see the worst', () =>
    withTempDir(async (folder) => {
      const server = await startFixture('old');
      ill(server);
      const config: FigConfigInput = {
        upstreams: { old: server.url },
        monolith: 'old',
        capabilities: {},
        gateway: { resilience: { breaker: BREAKER } },
      };
      await withSpawnedFacade({ folder, config, env: { FACADE_WORKERS: '2' } }, async (facade) => {
        while ((await request('GET', facade.url)).status === 500);
        const { body } = await request<{ breakers: BreakerStatus[] }>(
          'GET',
          `${facade.adminUrl}/status`,
          { headers: facade.operator },
        );
        expect(body.breakers).toMatchObject([{ upstream: 'old', state: 'open' }]);
        expect(await metrics(facade)).toMatch(
          /fig_breaker_state\{upstream="old",state="open"\} [12]/,
        );
      });
      await server.close();
    }));
});

describe('a read of a side that is ill', () => {
  const customer = { 'x-customer-id': 'C1' };

  async function toExtracted(stand: Stand): Promise<void> {
    await stand.flags({ 'stock.reads': 100 });
    await eventually(async () =>
      expect((await read(stand, customer)).body).toEqual({ from: 'extracted' }),
    );
    ill(stand.extracted);
    await eventually(async () => {
      await read(stand, customer);
      expect((await breakerOf(stand, 'extracted')).state).toBe('open');
    });
    stand.extracted.received.length = 0;
  }

  it('is answered by the owner, and says so', () =>
    withStand(guarded({ breaker: BREAKER }), async (stand) => {
      await toExtracted(stand);
      const answer = await read(stand, customer);
      expect(answer).toMatchObject({
        status: 200,
        headers: { 'x-fig-fallback': 'owner' },
        body: { from: 'legacy' },
      });
      expect(stand.extracted.received).toEqual([]);
      expect(await metrics(stand)).toContain('fig_fallback_reads_total{capability="stock"} 1');
      const explained = await request(
        'GET',
        `${stand.adminUrl}/explain?path=/api/stock&customer=C1`,
      );
      expect(explained.body).toMatchObject({
        upstream: { name: 'extracted' },
        notes: expect.arrayContaining([
          'the breaker of extracted is open: nothing is sent to it, and the owner answers instead',
        ]),
      });
      // What the owner is asked anyway says nothing.
      await stand.flags({ 'stock.reads': 0 });
      await eventually(async () =>
        expect((await read(stand, customer)).headers).not.toHaveProperty('x-fig-fallback'),
      );
    }));

  it('is refused where the owner is to be spared', () =>
    withStand(
      guarded({ breaker: BREAKER, upstreams: { extracted: { fallback: 'none' } } }),
      async (stand) => {
        await toExtracted(stand);
        expect((await read(stand, customer)).body.code).toBe('upstream_ill');
        expect(stand.extracted.received).toEqual([]);
        expect(stand.legacy.received.map(({ method }) => method)).not.toContain('POST');
      },
    ));

  it('is no write: that waits for its owner alone', () =>
    withStand(
      { ...guarded({ breaker: BREAKER }), routing: { owner: 'extracted', epoch: 2 } },
      async (stand) => {
        // Reads are the owner's as well, whether or not the customer has just written.
        await stand.flags({ 'stock.reads': 100 });
        await eventually(async () =>
          expect((await read(stand, { 'x-customer-id': 'C2' })).body).toEqual({
            from: 'extracted',
          }),
        );
        ill(stand.extracted);
        // Else the other side may be read as soon as a barrier has settled the customer's writes.
        await stand.flags({ 'stock.reads': 100 });
        await eventually(async () => {
          const explain = `${stand.adminUrl}/explain?path=/api/stock`;
          expect((await request('GET', explain)).body).toMatchObject({ reason: 'owner' });
        });
        await eventually(async () => {
          const { body } = await write(stand, customer);
          expect(body.code).toBe('upstream_ill');
        });
        stand.extracted.received.length = 0;
        stand.legacy.received.length = 0;
        const answers = await Promise.all([
          write(stand, customer),
          write(stand, { ...customer, 'idempotency-key': 'K1' }),
          // The owner itself is ill: no other side can be read.
          read(stand, customer),
        ]);
        for (const answer of answers) {
          expect(answer).toMatchObject({ status: 503, body: { code: 'upstream_ill' } });
        }
        expect([...stand.legacy.received, ...stand.extracted.received]).toEqual([]);
      },
    ));
});

describe('an open breaker in the middle of a handover', () => {
  it('holds a write for the next owner, whose breaker is another one', () =>
    withPushedNews(
      async (stand) => {
        ill(stand.legacy);
        await repeat(4, () => write(stand));
        expect((await write(stand)).body.code).toBe('upstream_ill');
        await publish(stand, routingState('stock', { holding: true, epoch: 2, owner: null }));
        await eventually(async () =>
          expect((await status(stand)).capabilities[0].holding).toBe(true),
        );
        const since = performance.now();
        const held = write(stand);
        // Longer than it waits before it would ask the fence of a side that can be asked.
        await eventually(() => performance.now() - since > 500);
        expect((await status(stand)).capabilities[0].heldNow).toBe(1);
        stand.legacy.received.length = 0;
        stand.extracted.answer = (_req, res) => json(res, 201, { from: 'extracted' });
        await publish(
          stand,
          routingState('stock', { owner: 'extracted', epoch: 2, generation: 2 }),
        );
        expect(await held).toMatchObject({ status: 201, body: { from: 'extracted' } });
        expect((await write(stand)).status).toBe(201);
        expect(stand.extracted.received).toHaveLength(2);
        expect(stand.legacy.received).toEqual([]);
      },
      { gateway: { resilience: { breaker: BREAKER } } },
    ));

  it('of the next owner sheds what is sent there, with nothing done', () =>
    withPushedNews(
      async (stand) => {
        await publish(stand, routingState('stock', { owner: 'extracted', epoch: 2 }));
        await eventually(async () =>
          expect((await status(stand)).capabilities[0].owner).toBe('extracted'),
        );
        ill(stand.extracted);
        await repeat(4, () => write(stand));
        stand.extracted.received.length = 0;
        await publish(stand, routingState('stock', { owner: 'legacy', epoch: 3 }));
        await eventually(async () =>
          expect((await status(stand)).capabilities[0].owner).toBe('legacy'),
        );
        expect((await write(stand)).body).toEqual({ from: 'legacy' });
        // Its fence sends the write on to an owner that is not asked while it is ill.
        stand.legacy.answer = (_req, res) => fenced(res, 'stock', 'ceded', 4);
        expect(await write(stand)).toMatchObject({ status: 503, body: { code: 'upstream_ill' } });
        expect(stand.extracted.received).toEqual([]);
      },
      { gateway: { resilience: { breaker: BREAKER } } },
    ));
});

describe('retries', () => {
  const cut: Fixture['answer'] = (req) => void req.socket.destroy();

  it('send a request again that may be, until it is answered', () =>
    withStand(guarded({ retry: { backoffMs: 1, perSecond: 100 } }), async (stand) => {
      let failures = 2;
      stand.legacy.answer = (req, res, body) => {
        failures -= 1;
        if (failures >= 0) cut(req, res, body);
        else json(res, 200, { from: 'legacy' });
      };
      expect(await read(stand)).toMatchObject({ status: 200, body: { from: 'legacy' } });
      expect(stand.legacy.received).toHaveLength(3);
      failures = 2;
      const key = { 'idempotency-key': 'K1' };
      expect((await write(stand, key)).status).toBe(200);
      const keys = stand.legacy.received.slice(3).map(({ headers }) => headers['idempotency-key']);
      expect(keys).toEqual(['K1', 'K1', 'K1']);
      expect(await metrics(stand)).toContain('fig_retried_total{capability="stock"} 4');
    }));

  it('never send a write again that has no key of its client', () =>
    withStand(guarded({ retry: { backoffMs: 1 } }), async (stand) => {
      stand.legacy.answer = cut;
      expect(await repeat(5, () => write(stand))).toEqual([502, 502, 502, 502, 502]);
      expect(stand.legacy.received).toHaveLength(5);
      stand.monolith.answer = cut;
      expect((await request('POST', `${stand.url}/other`, { body: {} })).status).toBe(502);
      expect(stand.monolith.received).toHaveLength(1);
    }));

  it('are at most a fifth of the load of an upstream that fails for good', () =>
    // Without the few that are allowed each second: on a slow machine these may be more.
    withStand(guarded({ retry: { attempts: 5, backoffMs: 1, perSecond: 0 } }), async (stand) => {
      stand.legacy.answer = cut;
      for (let n = 0; n < 20; n += 1) {
        await Promise.all(Array.from({ length: 20 }, () => read(stand)));
      }
      const retries = stand.legacy.received.length - 400;
      expect(retries).toBeGreaterThan(0);
      expect(retries).toBeLessThanOrEqual(80);
      const text = await metrics(stand);
      const refused = /fig_retries_refused_total\{upstream="legacy"\} (\d+)/.exec(text);
      expect(Number(refused?.[1])).toBeGreaterThan(0);
    }));

  it('of time-outs are in the budget as well', () =>
    withStand(
      guarded(
        { retry: { budget: 0, perSecond: 0 } },
        { limits: { requestMs: 5_000, attemptMs: 50 } },
      ),
      async (stand) => {
        stand.legacy.answer = () => undefined;
        expect((await read(stand)).status).toBe(504);
        expect(stand.legacy.received).toHaveLength(1);
      },
    ));

  it('do not wait with a write of an application that is named in drainFirst', () =>
    withStand(
      guarded({ retry: { backoffMs: 10_000, perSecond: 100 } }, { drainFirst: ['legacy'] }),
      async (stand) => {
        stand.legacy.answer = cut;
        const key = { 'idempotency-key': 'K1' };
        expect((await write(stand, key)).status).toBe(502);
        expect(stand.legacy.received).toHaveLength(1);
      },
    ));

  it('go to the next owner when ownership moves in between', () =>
    withPushedNews(
      async (stand) => {
        stand.legacy.answer = cut;
        stand.extracted.answer = (_req, res) => json(res, 201, { from: 'extracted' });
        const writing = write(stand, { 'idempotency-key': 'K1' });
        await eventually(() => stand.legacy.received.length > 0);
        // It asks the side that may have done it already; the fence of that says that it did not.
        stand.legacy.answer = (_req, res) => fenced(res, 'stock', 'ceded', 2);
        await publish(stand, routingState('stock', { owner: 'extracted', epoch: 2 }));
        expect(await writing).toMatchObject({ status: 201, body: { from: 'extracted' } });
        expect(stand.extracted.received.map(({ headers }) => headers['idempotency-key'])).toEqual([
          'K1',
        ]);
      },
      { gateway: { resilience: { retry: { attempts: 5, backoffMs: 200, perSecond: 100 } } } },
    ));
});

describe('the bulkhead of an upstream', () => {
  it('has a size of its own, and others go on when it is full', () =>
    withStand(guarded({ upstreams: { legacy: { connections: 1, waiting: 1 } } }), async (stand) => {
      const waiting: (() => void)[] = [];
      stand.legacy.answer = (_req, res) => waiting.push(() => json(res, 200, {}));
      const first = read(stand);
      await eventually(() => waiting.length === 1);
      const second = read(stand);
      await eventually(async () =>
        expect(await metrics(stand)).toContain('fig_upstream_waiting{upstream="legacy"} 1'),
      );
      expect(await read(stand)).toMatchObject({ status: 503, body: { code: 'upstream_busy' } });
      expect((await request('GET', `${stand.url}/other`)).status).toBe(200);
      waiting[0]?.();
      expect((await first).status).toBe(200);
      await eventually(() => waiting.length === 2);
      waiting[1]?.();
      expect((await second).status).toBe(200);
    }));

  it('is emptied when the breaker opens: what waits is not sent to an upstream that is ill', () =>
    withStand(
      guarded({ breaker: { minimum: 1, openMs: 600_000 }, connections: 1 }),
      async (stand) => {
        let fail: (() => void) | undefined;
        stand.legacy.answer = (_req, res) => (fail = () => json(res, 500, {}));
        const first = read(stand);
        await eventually(() => fail !== undefined);
        const others = Array.from({ length: 5 }, () => read(stand));
        await eventually(async () =>
          expect(await metrics(stand)).toContain('fig_upstream_waiting{upstream="legacy"} 5'),
        );
        fail?.();
        expect((await first).status).toBe(500);
        for (const other of others) expect((await other).body.code).toBe('upstream_ill');
        expect(stand.legacy.received).toHaveLength(1);
      },
    ));
});

describe('a configuration of resilience', () => {
  it('names upstreams that there are', () => {
    const config = {
      upstreams: { old: 'http://127.0.0.1:1' },
      monolith: 'old',
      capabilities: {},
      gateway: { resilience: { upstreams: { new: { connections: 5 } } } },
    };
    expect(() => defineConfig(config)).toThrow(
      'gateway.resilience.upstreams: there is no upstream "new"; known are old',
    );
  });
});
