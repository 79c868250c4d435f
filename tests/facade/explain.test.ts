import { describe, expect, it } from '@jest/globals';
import { eventually, request } from '../support/index.ts';
import { routingState, withStand } from './stand.ts';
import type { Stand } from './stand.ts';

interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly customer?: string;
}

interface Explained {
  readonly upstream: { readonly name: string };
  readonly facts: readonly { flags: { reads: { bucket: number; on: boolean } } }[];
}

async function explain({ adminUrl }: Stand, asked: Asked): Promise<Record<string, unknown>> {
  const query = new URLSearchParams({ ...asked }).toString();
  const answer = await request<Record<string, unknown>>('GET', `${adminUrl}/explain?${query}`);
  expect(answer.status).toBe(200);
  return answer.body;
}

/** Sends what was asked about. @returns the name of the server that answered */
async function send({ url }: Stand, { method = 'GET', path, customer }: Asked): Promise<string> {
  const headers = customer === undefined ? {} : { 'x-customer-id': customer };
  const answer = await request<{ from: string }>(method, `${url}${path}`, { headers });
  return answer.body.from;
}

describe('an explanation', () => {
  it('names the server that such a request then goes to', () =>
    withStand({}, async (stand) => {
      await stand.flags({ 'stock.reads': 50 });
      await eventually(async () => {
        const { facts } = await explain(stand, { path: '/api/stock', customer: 'C1' });
        expect(facts).toMatchObject([{ flags: { reads: { share: 50 } }, settled: true }]);
      });
      const customers = Array.from({ length: 40 }, (_unused, index) => `C${index}`);
      const asked: Asked[] = [
        ...customers.map((customer) => ({ path: '/api//st%6fck/A1?x=y', customer })),
        { path: '/api/stock' },
        { path: '/api/stock-admin', customer: 'C1' },
        { method: 'POST', path: '/api/stock', customer: 'C1' },
        { method: 'POST', path: '/api/orders', customer: 'C2' },
      ];
      const upstreams = new Set<string>();
      for (const each of asked) {
        const { upstream, facts } = (await explain(stand, each)) as unknown as Explained;
        for (const { flags } of each.method || !each.customer ? [] : facts) {
          expect(flags.reads.on).toBe(flags.reads.bucket <= 50);
        }
        expect({ ...each, name: upstream.name }).toEqual({
          ...each,
          name: await send(stand, each),
        });
        upstreams.add(upstream.name);
      }
      expect([...upstreams].toSorted()).toEqual(['extracted', 'legacy', 'monolith']);
    }));

  it('tells what a read is decided by', () =>
    withStand({}, async (stand) => {
      await stand.flags({ 'stock.reads': 100, 'stock.shadow': 25 });
      const asked = { path: '/API/st%6fck//A1?q=%2F', customer: 'C1' };
      await eventually(async () =>
        expect(await explain(stand, asked)).toEqual({
          schemaVersion: 1,
          asked: { method: 'GET', ...asked },
          refused: null,
          path: '/API/stock/A1',
          route: '/api/stock/*',
          capability: 'stock',
          kind: 'read',
          changes: [],
          side: 'extracted',
          upstream: { name: 'extracted', url: stand.extracted.url },
          reason: 'flag',
          why: expect.stringMatching(
            /^stock\.reads \(100 %\), by C1's place \d+ of 100, asks for extracted, which may serve$/,
          ),
          held: null,
          shadow: { name: 'legacy', url: stand.legacy.url, share: 25 },
          facts: [
            {
              capability: 'stock',
              replicated: true,
              cohort: null,
              flags: {
                shadow: { flag: 'stock.shadow', share: 25, conditions: null },
                reads: {
                  flag: 'stock.reads',
                  share: 100,
                  conditions: null,
                  bucket: expect.any(Number),
                  on: true,
                },
                writes: { flag: 'stock.writes', on: false, refused: null },
              },
              owner: 'legacy',
              epoch: 1,
              replicaReady: true,
              holding: false,
              known: true,
              certain: false,
              settled: true,
              news: 'polled',
            },
          ],
          notes: ['if that server fails, the owner is asked'],
        }),
      );
      expect(await explain(stand, { path: '/api/stock' })).toMatchObject({
        side: 'legacy',
        reason: 'anonymous',
        why: expect.stringContaining("without x-customer-id the caller's own writes are unknown"),
      });
    }));

  it('tells whether a write would be held, and sends nothing to find out', () =>
    withStand({}, async (stand) => {
      const asked = { method: 'post', path: '/api/orders', customer: 'C1' };
      expect(await explain(stand, asked)).toMatchObject({
        kind: 'write',
        route: '/api/orders',
        capability: null,
        changes: ['stock'],
        upstream: { name: 'monolith' },
        reason: 'touches',
        held: null,
      });
      stand.routing.set('stock', routingState('stock', { holding: true, generation: 2 }));
      await eventually(async () =>
        expect(await explain(stand, asked)).toMatchObject({
          held: {
            capability: 'stock',
            why: expect.stringContaining('ownership of stock is moving'),
          },
        }),
      );
      for (const each of [stand.monolith, stand.legacy, stand.extracted]) {
        expect(each.received).toEqual([]);
      }
    }));

  it('tells what is refused, and why', () =>
    withStand({}, async (stand) => {
      expect(await explain(stand, { path: '/api/../admin' })).toMatchObject({
        refused: { status: 400, code: 'invalid_path' },
        path: null,
        upstream: null,
        why: expect.stringContaining('sends nothing on: the path holds a `.` or `..` segment'),
      });
      expect(await explain(stand, { method: 'TRACE', path: '/' })).toMatchObject({
        refused: { status: 405, code: 'method_not_allowed' },
      });
      expect(await explain(stand, { method: 'GRAB', path: '/' })).toMatchObject({
        refused: { status: 400, code: 'malformed_request' },
      });
    }));

  it('says what is wrong with the question', () =>
    withStand({}, async ({ adminUrl }) => {
      const answer = await request('GET', `${adminUrl}/explain?custommer=C1`);
      expect(answer).toMatchObject({
        status: 400,
        body: {
          code: 'invalid_request',
          errors: [
            { field: 'path', remedy: expect.stringContaining('/explain?method=GET') },
            { field: 'custommer', remedy: 'leave it out, or correct its name' },
          ],
        },
      });
    }));

  it('says that shares go by the draw where nobody is known and no rows move', () =>
    withStand(
      {
        config: {
          capabilities: {
            pages: { legacy: 'legacy', extracted: 'extracted', routes: ['/pages/*'] },
          },
          touches: [],
        },
      },
      async (stand) => {
        await stand.flags({ 'pages.reads': 30 });
        await eventually(async () =>
          expect(await explain(stand, { path: '/pages/1' })).toMatchObject({
            kind: 'read',
            side: null,
            upstream: null,
            reason: 'drawn',
            why: expect.stringContaining(
              'extracted answers 30 % of such requests, legacy the rest',
            ),
          }),
        );
        expect(await explain(stand, { method: 'PUT', path: '/pages/1' })).toMatchObject({
          reason: 'flag',
          why: 'pages.writes is off: legacy takes writes',
        });
      },
    ));
});
