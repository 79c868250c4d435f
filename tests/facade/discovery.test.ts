import { describe, expect, it } from '@jest/globals';
import Sqlite from 'better-sqlite3';
import { execFile, fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { makeTokenFile, tokenIn } from '../../chassis/index.ts';
import type { OperatorToken } from '../../chassis/index.ts';
import { sealEntry, servicesKey } from '../../chassis/redis/index.ts';
import type { FigConfigInput } from '../../routing/index.ts';
import { projectRoot } from '../../system/index.ts';
import type { PrivateRedis } from '../../system/index.ts';
import { eventually, request, withRedis, withTempDir } from '../support/index.ts';
import { withStand } from './stand.ts';
import type { Stand } from './stand.ts';
import { STOCK } from './stock.ts';

const PROGRAM = join(projectRoot, 'dist', 'extracted', 'inventory', 'main.js');
const FIG = join(projectRoot, 'dist', 'strangler', 'cli', 'main.js');
const DRAIN_MS = 3_000;
const NOWHERE = 'http://127.0.0.1:1';

/** One process of the inventory service. */
interface Process {
  readonly url: string;
  readonly child: ChildProcess;
  readonly exited: Promise<unknown[]>;
}

interface Instance {
  readonly upstream: string;
  readonly url: string;
  readonly version: string | null;
  readonly source: string;
  readonly ejected: boolean;
}

/** What a test has at hand. */
interface Town {
  readonly stand: Stand;
  readonly folder: string;
  readonly redis: PrivateRedis;
  readonly token: OperatorToken;
  /** Starts one more process, on the same database. */
  start(): Promise<Process>;
  /** As the facade lists them. */
  instances(): Promise<readonly Instance[]>;
  urls(): Promise<readonly string[]>;
  /** Runs `fig` for that facade, and one that is away. @returns what it prints */
  fig(...words: readonly string[]): Promise<string>;
  /** Reads without a pause until it is stopped, by four clients. @returns what answers other than 200 said */
  readAll(): { served(): number; stop(): Promise<readonly unknown[]> };
}

const config: Partial<FigConfigInput> = {
  upstreams: {
    monolith: NOWHERE,
    inventory: { url: NOWHERE, registry: { networks: ['127.0.0.0/8'] } },
    extracted: NOWHERE,
  },
  capabilities: {
    stock: { ...STOCK, legacy: 'inventory', routes: ['/api/inventory', '/api/inventory/*'] },
  },
  touches: [],
};

/** Gives `use` a facade that finds the processes of inventory in Redis; none is started yet. */
function withTown(use: (town: Town) => Promise<void>): Promise<void> {
  return withTempDir((folder) =>
    withRedis(async (redis) => {
      const file = join(folder, 'token');
      makeTokenFile(file);
      const token = tokenIn(file);
      const processes: Pick<Process, 'child' | 'exited'>[] = [];
      const access = { hosts: [], token };
      const start = async (): Promise<Process> => {
        const child = fork(PROGRAM, {
          env: {
            PATH: process.env['PATH'],
            FIG_DATA_DIR: folder,
            FIG_DRAIN_MS: String(DRAIN_MS),
            FIG_REGISTER: 'on',
            INVENTORY_PORT: '0',
            REDIS_URL: redis.url,
          },
          stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        });
        const exited = once(child, 'exit');
        processes.push({ child, exited });
        const [{ ports }] = (await once(child, 'message')) as [{ ports: { http: number } }];
        return { url: `http://127.0.0.1:${ports.http}`, child, exited };
      };
      try {
        await withStand({ config, redisUrl: redis.url, access }, (stand) => {
          const instances = async (): Promise<readonly Instance[]> => {
            const { body } = await request<{ instances: Instance[] }>(
              'GET',
              `${stand.adminUrl}/status`,
              { headers: token.headers() },
            );
            return body.instances.filter(({ upstream }) => upstream === 'inventory');
          };
          const urls = async (): Promise<readonly string[]> =>
            (await instances()).map(({ url }) => url).sort();
          const fig = async (...words: readonly string[]): Promise<string> => {
            const ADMIN_URL = `${stand.adminUrl},${NOWHERE}`;
            const env = { PATH: process.env['PATH'], FIG_DATA_DIR: folder, ADMIN_URL };
            const options = { env, cwd: projectRoot };
            return (await promisify(execFile)(process.execPath, [FIG, ...words], options)).stdout;
          };
          const readAll: Town['readAll'] = () => readingFrom(stand);
          return use({ stand, folder, redis, token, start, instances, urls, fig, readAll });
        });
      } finally {
        for (const { child } of processes) child.kill('SIGKILL');
        await Promise.all(processes.map(({ exited }) => exited));
      }
    }),
  );
}

function readingFrom({ url }: Stand): ReturnType<Town['readAll']> {
  const failures: unknown[] = [];
  let served = 0;
  let isStopped = false;
  const client = async (): Promise<void> => {
    while (!isStopped) {
      const { status, body } = await request('GET', `${url}/api/inventory`);
      if (status === 200) served += 1;
      else failures.push(body);
    }
  };
  const clients = Array.from({ length: 4 }, client);
  return {
    served: () => served,
    async stop() {
      isStopped = true;
      await Promise.all(clients);
      return failures;
    },
  };
}

const sorted = (processes: readonly Process[]): readonly string[] =>
  processes.map(({ url }) => url).sort();

describe('a service whose processes register themselves', () => {
  it('fails no read while one is killed, one is started and one is drained', () =>
    withTown(async ({ start, instances, urls, readAll }) => {
      expect(await urls()).toEqual([NOWHERE]);
      const [one, two] = await Promise.all([start(), start()]);
      await eventually(async () => expect(await urls()).toEqual(sorted([one, two])));
      const version = expect.stringMatching(/^[0-9a-f]{12}$/);
      for (const instance of await instances()) {
        expect(instance).toMatchObject({ version, source: 'registry', ejected: false });
      }
      const reads = readAll();
      await eventually(() => reads.served() > 50);

      two.child.kill('SIGKILL');
      await two.exited;
      const killedAt = reads.served();
      await eventually(() => reads.served() > killedAt + 50);
      const three = await start();
      await eventually(async () => expect(await urls()).toContain(three.url));

      one.child.kill('SIGTERM');
      await eventually(async () => expect(await urls()).not.toContain(one.url));
      expect(one.child.exitCode).toBeNull();
      const drainedAt = reads.served();
      expect((await one.exited)[0]).toBe(0);
      await eventually(() => reads.served() > drainedAt + 50);
      expect(await reads.stop()).toEqual([]);
    }));

  it('is served by the copy while Redis is away, and by `url` once nothing is registered', () =>
    withTown(async ({ start, urls, instances, readAll, redis, folder }) => {
      const one = await start();
      await eventually(async () => expect(await urls()).toEqual([one.url]));
      const database = new Sqlite(join(folder, 'inventory.db'));
      try {
        database.exec('ALTER TABLE stock_levels RENAME TO elsewhere');
        await eventually(async () =>
          expect(await instances()).toMatchObject([{ url: NOWHERE, source: 'config' }]),
        );
        database.exec('ALTER TABLE elsewhere RENAME TO stock_levels');
      } finally {
        database.close();
      }
      await eventually(async () => expect(await urls()).toEqual([one.url]));
      const reads = readAll();
      await eventually(() => reads.served() > 20);
      await redis.stop();
      const before = reads.served();
      await eventually(() => reads.served() > before + 200);
      expect(await reads.stop()).toEqual([]);
      expect(await instances()).toMatchObject([{ url: one.url, source: 'registry' }]);
    }));

  it('does not follow an entry without proof, nor one outside the networks, and says so', () =>
    withTown(async ({ stand, start, urls, token, redis, fig }) => {
      const one = await start();
      await eventually(async () => expect(await urls()).toEqual([one.url]));
      const entry = {
        version: 'x',
        capabilities: [],
        startedAt: new Date().toISOString(),
        beat: 1,
      };
      const forged = 'http://127.0.0.1:9';
      const outside = 'http://10.9.9.9:4001';
      const client = new Redis(redis.url);
      try {
        await client.hset(servicesKey('inventory'), {
          [forged]: JSON.stringify({ ...entry, url: forged }),
          [outside]: sealEntry(token, 'inventory', { ...entry, url: outside }),
        });
        await eventually(async () => {
          const { body } = await request<string>('GET', `${stand.adminUrl}/metrics`);
          expect(body).toContain('fig_registry_entries_ignored{upstream="inventory"} 2');
        });
        expect(await urls()).toEqual([one.url]);
      } finally {
        client.disconnect();
      }
      const listed = await fig('services');
      expect(listed).toContain(`facade at ${stand.adminUrl}\n`);
      expect(listed).toMatch(
        new RegExp(`inventory +${one.url} +[0-9a-f]{12} +0 +in use +registry\n`),
      );
      expect(listed).toMatch(new RegExp(`monolith +${NOWHERE} +- +0 +in use +config\n`));
      expect(listed).toContain(`no facade answers at ${NOWHERE}`);
      const { facades } = JSON.parse(await fig('services', '--json')) as { facades: object[] };
      expect(facades).toMatchObject([
        { facade: stand.adminUrl, error: null },
        { facade: NOWHERE, instances: null, error: `no facade answers at ${NOWHERE}` },
      ]);
    }));
});
