import { describe, expect, it } from '@jest/globals';
import { inSoak, request, withTempDir } from '../support/index.ts';
import { withSpawnedFacade } from './spawned-facade.ts';
import { json, startFixture } from './stand.ts';
import type { Fixture } from './stand.ts';
import { STOCK } from './stock.ts';

interface Sides {
  readonly legacy: Fixture;
  readonly extracted: Fixture;
}

/** A facade that nobody tells anything: there is neither an engine nor a Redis. */
function withUntoldFacade(
  prepare: (sides: Sides) => void,
  use: (url: string, sides: Sides) => Promise<void>,
): Promise<void> {
  return withTempDir(async (folder) => {
    const sides = {
      legacy: await startFixture('legacy'),
      extracted: await startFixture('extracted'),
    };
    prepare(sides);
    const config = {
      upstreams: { legacy: sides.legacy.url, extracted: sides.extracted.url },
      monolith: 'legacy',
      capabilities: {
        stock: { ...STOCK, cohorts: { header: 'x-customer-id' } },
      },
    };
    try {
      await withSpawnedFacade({ folder, config }, ({ url }) => use(url, sides));
    } finally {
      await Promise.all([sides.legacy.close(), sides.extracted.close()]);
    }
  });
}

/** Tells fences besides what it serves. */
function tell(side: Fixture, ...fences: object[]): void {
  const { answer } = side;
  side.answer = (req, res, body) => {
    if (req.url === '/fences') json(res, 200, { fences });
    else answer(req, res, body);
  };
}

const fence = (state: string, epoch: number, key = '*') => ({
  capability: 'stock',
  key,
  state,
  epoch,
});

async function whoServes(url: string, customer?: string): Promise<unknown[]> {
  const headers: Record<string, string> = customer ? { 'x-customer-id': customer } : {};
  const answers = [
    await request<{ from: string }>('GET', `${url}/api/stock`, { headers }),
    await request<{ from: string }>('POST', `${url}/api/stock`, { headers, body: {} }),
  ];
  return answers.map(({ status, body }) => (status === 200 ? body.from : status));
}

describe('a facade that nobody tells who owns what', () => {
  it.each(inSoak(['ceded by the one', 'opened by the other'], ['ceded by the one']))(
    'asks the services: %s',
    (by) =>
      withUntoldFacade(
        ({ legacy, extracted }) => {
          if (by.startsWith('ceded')) tell(legacy, fence('ceded', 2));
          else tell(extracted, fence('open', 2));
        },
        async (url, { legacy }) => {
          expect(await whoServes(url)).toEqual(['extracted', 'extracted']);
          expect(legacy.received.filter(({ url: asked }) => asked !== '/fences')).toEqual([]);
        },
      ),
  );

  it('asks them for customers who moved ahead, too', () =>
    withUntoldFacade(
      ({ legacy, extracted }) => {
        tell(legacy, fence('open', 1), fence('ceded', 2, 'A'));
        tell(extracted, fence('closed', 0), fence('open', 2, 'A'));
      },
      async (url) => {
        expect(await whoServes(url, 'A')).toEqual(['extracted', 'extracted']);
        expect(await whoServes(url, 'B')).toEqual(['legacy', 'legacy']);
      },
    ));

  it('stays with legacy where the services tell nothing', () =>
    withUntoldFacade(
      () => undefined,
      async (url) => expect(await whoServes(url)).toEqual(['legacy', 'legacy']),
    ));

  it.each(inSoak(['GET', 'POST'], ['POST']))(
    'passes on no 410 of what has left for good, on %s',
    (method) =>
      withUntoldFacade(
        ({ legacy }) => {
          legacy.answer = (_req, res) =>
            json(res, 410, { code: 'moved_away', status: 410, capability: 'stock' });
        },
        async (url, { legacy, extracted }) => {
          const ask = () =>
            request(method, `${url}/api/stock`, method === 'POST' ? { body: {} } : {});
          expect(await ask()).toMatchObject({ status: 200, body: { from: 'extracted' } });
          const asked = legacy.received.length;
          expect(await ask()).toMatchObject({ status: 200, body: { from: 'extracted' } });
          expect(legacy.received.filter(({ url: to }) => to !== '/fences').length).toBe(1);
          expect(asked).toBeGreaterThan(0);
          // Another 410 is the service's own answer.
          extracted.answer = (_req, res) => json(res, 410, { code: 'sold_out' });
          expect(await ask()).toMatchObject({ status: 410, body: { code: 'sold_out' } });
        },
      ),
  );
});
