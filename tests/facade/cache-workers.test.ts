import { Agent, request as send } from 'undici';
import { expect, it } from '@jest/globals';
import type { FigConfigInput } from '../../routing/index.ts';
import { withTempDir } from '../support/index.ts';
import { withSpawnedFacade } from './spawned-facade.ts';
import { json, startFixture } from './stand.ts';

const CLIENTS = 8;
const ROUNDS = 15;

interface Seen {
  readonly written: number;
  readonly told: string;
}

/** Connections of their own, so that some are at each worker. */
function connections(url: string) {
  const agents = Array.from({ length: CLIENTS }, () => new Agent({ connections: 1 }));
  const ask = async (dispatcher: Agent, method: 'GET' | 'PUT', path: string): Promise<Seen> => {
    const { body, headers } = await send(`${url}${path}`, { dispatcher, method });
    const { written } = (await body.json()) as { written: number };
    return { written, told: String(headers['cache-status']) };
  };
  return {
    write: (at: number, path: string) => ask(agents[at % CLIENTS] as Agent, 'PUT', path),
    read: (path: string) => Promise.all(agents.map((agent) => ask(agent, 'GET', path))),
    close: () => Promise.all(agents.map((agent) => agent.destroy())),
  };
}

it.each([
  ['a path of no capability', '/things/1'],
  ['a capability whose rows are not replicated, by nobody', '/api/stock/1'],
])('one worker does not give what a client has changed by another: %s', (_name, path) =>
  withTempDir(async (folder) => {
    const server = await startFixture('old');
    let written = 0;
    server.answer = (req, res) => {
      if (req.method === 'PUT') written += 1;
      json(res, 200, { written });
    };
    const config: FigConfigInput = {
      upstreams: { old: server.url, fresh: server.url },
      monolith: 'old',
      capabilities: {
        stock: { legacy: 'old', extracted: 'fresh', routes: ['/api/stock', '/api/stock/*'] },
      },
      gateway: { cache: { routes: [{ path, ttlMs: 60_000 }] } },
    };
    try {
      await withSpawnedFacade({ folder, config, env: { FACADE_WORKERS: '2' } }, async ({ url }) => {
        const clients = connections(url);
        let hits = 0;
        for (let round = 1; round <= ROUNDS; round += 1) {
          await clients.write(round, path);
          // The first reads after a write are what it may be kept from; the next are hits.
          const seen = [...(await clients.read(path)), ...(await clients.read(path))];
          expect(new Set(seen.map((each) => each.written))).toEqual(new Set([round]));
          hits += seen.filter(({ told }) => told.includes('hit')).length;
        }
        expect(hits).toBeGreaterThan(ROUNDS);
        await clients.close();
      });
    } finally {
      await server.close();
    }
  }),
);
