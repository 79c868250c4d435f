import { describe, expect, it } from '@jest/globals';
import type { FigConfigInput } from '../../routing/index.ts';
import { eventually, request } from '../support/index.ts';
import { holds, pushedNews, status } from './pushed-news.ts';
import { fenced, json, routingState } from './stand.ts';
import type { Stand } from './stand.ts';
import { STOCK } from './stock.ts';

const { publish, withPushedNews } = pushedNews();

const MOVED = { keys: ['A', 'B'], owner: 'extracted', epoch: 2, holding: false } as const;
const MOVING = { ...MOVED, owner: null, holding: true } as const;
/** Nobody reads from the side that does not own them. */
const stock = (generation: number, ...cohorts: (typeof MOVED | typeof MOVING)[]) =>
  routingState('stock', { generation, cohorts, replicaReady: false });

function withCohorts(use: (stand: Stand) => Promise<void>, header = 'x-customer-id') {
  return withPushedNews(use, config(header));
}

function config(header: string): Partial<FigConfigInput> {
  return {
    capabilities: {
      stock: { ...STOCK, cohorts: { header } },
    },
  };
}

const call = (stand: Stand, method: string, key?: string, header = 'x-customer-id') =>
  request<{ from?: string; code?: string }>(method, `${stand.url}/api/stock/1`, {
    ...(method === 'POST' ? { body: {} } : {}),
    headers: key === undefined ? {} : { [header]: key },
  });

/** Sides that serve, and their fences: legacy has given A and B away. */
function serveSplit({ legacy, extracted }: Stand, keyOf: (headers: object) => unknown): void {
  const isMoved = (headers: object): boolean => ['A', 'B'].includes(String(keyOf(headers)));
  legacy.answer = (req, res) =>
    isMoved(req.headers) && req.method === 'POST'
      ? fenced(res, 'stock', 'ceded', 2, String(keyOf(req.headers)))
      : json(res, 200, { from: 'legacy' });
  extracted.answer = (req, res) =>
    isMoved(req.headers) || req.method === 'GET'
      ? json(res, 200, { from: 'extracted' })
      : fenced(res, 'stock', 'closed', 0);
}

const customerIn = (headers: object): unknown =>
  (headers as Record<string, unknown>)['x-customer-id'];

async function known(stand: Stand, ...cohorts: object[]): Promise<void> {
  await eventually(async () =>
    expect((await status(stand)).capabilities[0].cohorts).toEqual(cohorts),
  );
}

describe('customers who have moved ahead', () => {
  it.each(['x-customer-id', 'x-tenant'])('are served by their owner, named by %s', (header) =>
    withCohorts(async (stand) => {
      serveSplit(stand, (headers) => (headers as Record<string, unknown>)[header]);
      await publish(stand, stock(2, MOVED));
      await known(stand, { keys: 2, owner: 'extracted', epoch: 2, holding: false });
      for (const method of ['GET', 'POST']) {
        const served = await Promise.all(
          ['A', 'B', 'C'].map(async (key) => (await call(stand, method, key, header)).body.from),
        );
        expect(served).toEqual(['extracted', 'extracted', 'legacy']);
      }
      expect(stand.legacy.received.map(({ method }) => method).toSorted()).toEqual(['GET', 'POST']);
      await publish(stand, stock(3));
      await known(stand);
      expect((await call(stand, 'GET', 'A', header)).body.from).toBe('legacy');
    }, header),
  );

  it('keep reads that name nobody from being compared, which is counted', () =>
    withCohorts(async (stand) => {
      serveSplit(stand, customerIn);
      await publish(stand, { ...stock(2, MOVED), replicaReady: true });
      await known(stand, { keys: 2, owner: 'extracted', epoch: 2, holding: false });
      await stand.flags({ 'stock.shadow': 100 });
      await eventually(async () => {
        await call(stand, 'GET');
        const { body } = await request<{
          capabilities: [{ experiments: { notCompared: Record<string, number> } }];
        }>('GET', `${stand.adminUrl}/status`);
        expect(body.capabilities[0].experiments.notCompared).toEqual({
          several_owners: expect.any(Number),
        });
      });
    }));

  it('are found by the fences where no news tells of them, and their friends with them', () =>
    withCohorts(async (stand) => {
      serveSplit(stand, customerIn);
      for (const key of ['A', 'A', 'C', 'C']) await call(stand, 'POST', key);
      expect(stand.legacy.received.map(({ headers }) => customerIn(headers))).toEqual([
        'A',
        'C',
        'C',
      ]);
      expect(stand.extracted.received.map(({ headers }) => customerIn(headers))).toEqual([
        'A',
        'A',
      ]);
      // Reads of what was written there go there, too.
      expect((await call(stand, 'GET', 'A')).body.from).toBe('extracted');
      expect((await call(stand, 'GET', 'C')).body.from).toBe('legacy');
      expect(await holds(stand)).toMatchObject([{ capability: 'stock', epoch: 2, key: 'A' }]);
    }));

  it('hold their own writes while they move, and nobody else’s', () =>
    withCohorts(async (stand) => {
      await publish(stand, stock(2, MOVING));
      await known(stand, { keys: 2, owner: 'legacy', epoch: 2, holding: true });
      const order = request('POST', `${stand.url}/api/orders`, {
        body: {},
        headers: { 'x-customer-id': 'B' },
      });
      const held = call(stand, 'POST', 'A');
      await eventually(async () => (await status(stand)).capabilities[0].heldNow === 2);
      expect((await call(stand, 'POST', 'C')).body.from).toBe('legacy');
      expect(stand.monolith.received).toEqual([]);
      serveSplit(stand, customerIn);
      await publish(stand, stock(3, MOVED));
      expect((await held).body.from).toBe('extracted');
      expect((await order).body).toEqual({ from: 'monolith' });
      const keys = (await holds(stand)).map(({ key, epoch }) => `${key} in ${epoch}`);
      expect(keys.toSorted()).toEqual(['A in 2', 'B in 2']);
    }));

  it('are not decided by a header, but by the rows that a write is about', () =>
    withCohorts(async (stand) => {
      // The client names C, or nobody; what it writes to is A's.
      stand.legacy.answer = (_req, res) => fenced(res, 'stock', 'ceded', 2, 'A');
      stand.extracted.answer = (_req, res) => json(res, 201, { from: 'extracted' });
      expect((await call(stand, 'POST', 'C')).body.from).toBe('extracted');
      stand.legacy.answer = (_req, res) => json(res, 200, { from: 'legacy' });
      expect((await call(stand, 'GET', 'C')).body.from).toBe('legacy');
      // The other way round: A is named, and the row is one of the rest.
      stand.extracted.answer = (_req, res) => fenced(res, 'stock', 'closed', 0);
      expect((await call(stand, 'POST', 'A')).body.from).toBe('legacy');
      await known(stand, { keys: 1, owner: 'extracted', epoch: 2, holding: false });
    }));

  it('are read by who names nobody only when all that was written is with the owner of the rest', () =>
    withCohorts(async (stand) => {
      const paths = (): string[] => stand.engine.received.map(({ url }) => url);
      const barriers = (): number => paths().filter((path) => path === '/barrier/stock').length;
      await eventually(() => expect(barriers()).toBeGreaterThan(0));
      await publish(stand, stock(2, MOVED));
      await known(stand, { keys: 2, owner: 'extracted', epoch: 2, holding: false });
      for (const method of ['GET', 'POST']) {
        const before = barriers();
        expect((await call(stand, method)).body.from).toBe('legacy');
        expect(barriers()).toBeGreaterThan(before);
      }
    }));

  it('are told of by an explanation', () =>
    withCohorts(async (stand) => {
      await publish(stand, stock(2, MOVED));
      await known(stand, { keys: 2, owner: 'extracted', epoch: 2, holding: false });
      const explain = async (customer: string) =>
        (
          await request(
            'GET',
            `${stand.adminUrl}/explain?method=POST&path=/api/stock&customer=${customer}`,
          )
        ).body;
      expect(await explain('A')).toMatchObject({
        side: 'extracted',
        why: 'extracted owns stock of A in epoch 2, as far as the facade knows',
        facts: [{ owner: 'extracted', cohort: { key: 'A', apart: true } }],
      });
      expect(await explain('C')).toMatchObject({
        side: 'legacy',
        facts: [{ owner: 'legacy', cohort: { key: 'C', apart: false } }],
      });
      expect(await explain('')).toMatchObject({
        side: 'legacy',
        facts: [{ cohort: { key: null, apart: false } }],
        notes: expect.arrayContaining([
          expect.stringMatching(/without x-customer-id the request's key is unknown/),
        ]),
      });
    }));
});
