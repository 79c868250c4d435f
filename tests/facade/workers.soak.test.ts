import { execFileSync } from 'node:child_process';
import { Agent, request as send } from 'undici';
import { describe, expect, it } from '@jest/globals';
import { eventually, request, withTempDir } from '../support/index.ts';
import { withSpawnedFacade } from './spawned-facade.ts';
import type { SpawnedFacade } from './spawned-facade.ts';
import { json, routingState, startFixture } from './stand.ts';
import type { Fixture } from './stand.ts';
import { STOCK } from './stock.ts';

interface Workers {
  readonly facade: SpawnedFacade;
  readonly legacy: Fixture;
  readonly extracted: Fixture;
  readonly engine: Fixture;
}

/** Two workers at one port, before a capability whose rows are replicated. */
function withWorkers(use: (workers: Workers) => Promise<void>): Promise<void> {
  return withTempDir(async (folder) => {
    const legacy = await startFixture('legacy');
    const extracted = await startFixture('extracted');
    const engine = await startFixture('engine');
    engine.answer = (req, res) =>
      json(res, 200, req.url === '/routing' ? [routingState('stock')] : { position: 1 });
    const config = {
      upstreams: { legacy: legacy.url, extracted: extracted.url },
      monolith: 'legacy',
      capabilities: {
        stock: STOCK,
      },
    };
    const env = { FACADE_WORKERS: '2', ENGINE_URL: engine.url };
    try {
      await withSpawnedFacade({ folder, config, env }, (facade) =>
        use({ facade, legacy, extracted, engine }),
      );
    } finally {
      await Promise.all([legacy, extracted, engine].map((each) => each.close()));
    }
  });
}

function workersOf({ pid }: SpawnedFacade): number[] {
  const list = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return list.split('\n').filter(Boolean).map(Number);
}

/** Asks on many connections of their own, so that every worker gets some. */
function askAround(url: string, customer: string, times = 12): Promise<unknown[]> {
  return Promise.all(
    Array.from({ length: times }, async () => {
      const dispatcher = new Agent();
      const headers = { 'x-customer-id': customer };
      try {
        const answer = await send(`${url}/api/stock`, { dispatcher, headers });
        const body = (await answer.body.json()) as { from: string };
        return body.from;
      } finally {
        await dispatcher.close();
      }
    }),
  );
}

async function write(url: string, customer: string): Promise<void> {
  const dispatcher = new Agent();
  try {
    const answer = await send(`${url}/api/stock`, {
      dispatcher,
      method: 'POST',
      headers: { 'x-customer-id': customer },
    });
    await answer.body.dump();
  } finally {
    await dispatcher.close();
  }
}

describe('two workers at one port', () => {
  it('are one to operators: what they counted is added up', () =>
    withWorkers(async ({ facade }) => {
      await askAround(facade.url, 'C1', 30);
      const headers = facade.operator;
      expect(await request('GET', `${facade.adminUrl}/status`, { headers })).toMatchObject({
        status: 200,
        body: { requests: [{ capability: 'stock', side: 'legacy', status: 200, count: 30 }] },
      });
      const metrics = await request<string>('GET', `${facade.adminUrl}/metrics`);
      expect(metrics.body).toContain(
        'fig_requests_total{capability="stock",side="legacy",status="200"} 30',
      );
      const explained = await request('GET', `${facade.adminUrl}/explain?path=/api/stock`, {
        headers,
      });
      expect(explained.body).toMatchObject({ side: 'legacy', reason: 'owner' });
      expect((await request('GET', `${facade.adminUrl}/readyz`)).status).toBe(200);
      const asked = await request('GET', `${facade.adminUrl}/upstreams`, { headers });
      expect(asked.body).toMatchObject({
        upstreams: [
          { name: 'legacy', trouble: null },
          { name: 'extracted', trouble: null },
        ],
      });
    }));

  it('know of each other who writes: no worker shows a client less than it wrote', () =>
    withWorkers(async ({ facade, engine }) => {
      await facade.flags({ 'stock.reads': 100 });
      const all = (side: string) => Array.from({ length: 12 }, () => side);
      await eventually(async () =>
        expect(await askAround(facade.url, 'C1')).toEqual(all('extracted')),
      );
      const { answer } = engine;
      const barriers: (() => void)[] = [];
      // From now on the other side lags: what is written does not get there.
      engine.answer = (req, res, body) => {
        if (req.url === '/routing') answer(req, res, body);
        else barriers.push(() => answer(req, res, body));
      };
      const headers = { 'x-customer-id': 'C1' };
      for (let round = 0; round < 5; round += 1) {
        await request('POST', `${facade.url}/api/stock`, { body: {}, headers });
        expect(await askAround(facade.url, 'C1')).toEqual(all('legacy'));
      }
      expect(await askAround(facade.url, 'C2')).toEqual(all('extracted'));
      engine.answer = answer;
      for (const release of barriers) release();
      await eventually(async () =>
        expect(await askAround(facade.url, 'C1')).toEqual(all('extracted')),
      );
    }));

  it('are replaced when they die, and the newcomer knows who writes', () =>
    withWorkers(async ({ facade, legacy }) => {
      await facade.flags({ 'stock.reads': 100 });
      await eventually(async () =>
        expect(await askAround(facade.url, 'C1')).toContain('extracted'),
      );
      // Writes that stay under way all the time, at both workers.
      const { answer } = legacy;
      const finish: (() => void)[] = [];
      legacy.answer = (req, res, body) => {
        if (req.method === 'POST') finish.push(() => answer(req, res, body));
        else answer(req, res, body);
      };
      const customers = Array.from({ length: 8 }, (_unused, index) => `C${index}`);
      const cut = new Set<string>();
      const writes = customers.map((customer) =>
        write(facade.url, customer).catch(() => cut.add(customer)),
      );
      await eventually(() => finish.length === customers.length);
      const [victim = 0] = workersOf(facade);
      process.kill(victim, 'SIGKILL');
      await eventually(() => cut.size > 0);
      await eventually(async () => {
        expect(workersOf(facade)).not.toContain(victim);
        expect((await request('GET', `${facade.adminUrl}/readyz`)).status).toBe(200);
      });
      const writing = customers.filter((customer) => !cut.has(customer));
      expect(writing.length).toBeGreaterThan(0);
      for (const customer of writing) {
        expect(await askAround(facade.url, customer)).not.toContain('extracted');
      }
      for (const each of finish) each();
      await Promise.all(writes);
    }));

  it('finish what they are at when they are told to stop', () =>
    withWorkers(async ({ facade, legacy }) => {
      let finish = (): void => undefined;
      const { answer } = legacy;
      legacy.answer = (req, res, body) => {
        finish = () => answer(req, res, body);
      };
      const slow = request('GET', `${facade.url}/api/stock`);
      await eventually(() => legacy.received.length === 1);
      facade.signal('SIGTERM');
      await eventually(() => (facade.log().match(/"stopping"/g) ?? []).length === 3);
      finish();
      expect((await slow).status).toBe(200);
      expect(await facade.ended).toBe(0);
    }));
});
