import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Agent, request as send } from 'undici';
import { Redis } from 'ioredis';
import type { FigConfigInput } from '../../routing/index.ts';
import { startRedis } from '../../system/index.ts';
import { eventually, request, withRedis, withTempDir } from '../support/index.ts';
import { pushedNews, status } from './pushed-news.ts';
import { RawClient } from './raw-client.ts';
import { withSpawnedFacade } from './spawned-facade.ts';
import { fenced, json, routingState, startFixture, withStand } from './stand.ts';
import type { Stand } from './stand.ts';

const { publish, withPushedNews } = pushedNews();

type Limits = NonNullable<NonNullable<FigConfigInput['gateway']>['limits']>;

const READS: Limits = [
  { name: 'reads', path: '/api/stock/*', methods: ['GET'], requests: 3, seconds: 60 },
];

const limited = (limits: Limits, more: Partial<FigConfigInput> = {}) => ({
  config: { gateway: { limits }, ...more },
});

function read(
  { url }: Pick<Stand, 'url'>,
  headers: Record<string, string> = {},
): ReturnType<typeof request> {
  return request('GET', `${url}/api/stock/1`, { headers });
}

async function metrics({ adminUrl }: Pick<Stand, 'adminUrl'>): Promise<string> {
  return (await request<string>('GET', `${adminUrl}/metrics`)).body;
}

async function statuses(count: number, ask: () => ReturnType<typeof request>): Promise<number[]> {
  const found: number[] = [];
  for (let n = 0; n < count; n += 1) found.push((await ask()).status);
  return found;
}

describe('a limit', () => {
  it('is told with each answer, and refuses what is over it before any upstream sees it', () =>
    withStand(limited(READS), async (stand) => {
      for (const left of [2, 1, 0]) {
        const { status: given, headers } = await read(stand);
        expect(given).toBe(200);
        expect(headers['ratelimit-policy']).toBe('"reads";q=3;w=60');
        expect(headers['ratelimit']).toMatch(new RegExp(`^"reads";r=${left};t=(60|[1-5]?\\d)$`));
        expect(headers).not.toHaveProperty('retry-after');
      }
      const refused = await read(stand);
      expect(refused).toMatchObject({
        status: 429,
        headers: {
          'content-type': 'application/problem+json; charset=utf-8',
          'ratelimit-policy': '"reads";q=3;w=60',
          ratelimit: expect.stringMatching(/^"reads";r=0;t=\d+$/),
          'retry-after': expect.stringMatching(/^(60|[1-5]?\d)$/),
        },
        body: {
          code: 'rate_limited',
          status: 429,
          'violated-policies': ['reads'],
          detail: expect.stringContaining('nothing has happened'),
        },
      });
      expect(stand.legacy.received).toHaveLength(3);
      expect(await metrics(stand)).toContain('fig_rate_limited_total{limit="reads"} 1');
    }));

  it('counts HEAD with GET, and no other paths or methods', () =>
    withStand(limited(READS), async (stand) => {
      expect((await request('HEAD', `${stand.url}/api/stock/1`)).headers['ratelimit']).toContain(
        'r=2',
      );
      const write = await request('POST', `${stand.url}/api/stock/1`, { body: {} });
      const pass = await request('GET', `${stand.url}/other`);
      for (const { headers } of [write, pass]) expect(headers).not.toHaveProperty('ratelimit');
      expect((await read(stand)).headers['ratelimit']).toContain('r=1');
    }));

  it('goes by the first that fits, and holds for routes of no capability and upgrades too', () =>
    withStand(
      limited([
        { name: 'login', path: '/login', requests: 1, seconds: 60 },
        { name: 'all', path: '/*', requests: 2, seconds: 60 },
      ]),
      async ({ url, port, monolith }) => {
        const ask = (path: string) => () => request('GET', `${url}${path}`);
        expect(await statuses(2, ask('/login'))).toEqual([200, 429]);
        // Another spelling of the same path.
        expect(await statuses(1, ask('/log%69n'))).toEqual([429]);
        expect(await statuses(3, ask('/home'))).toEqual([200, 200, 429]);
        const client = new RawClient(port).get(
          '/socket',
          'Connection: Upgrade',
          'Upgrade: websocket',
        );
        await eventually(() => client.statuses.length === 1);
        expect(client.statuses).toEqual([429]);
        client.close();
        expect(monolith.received).toHaveLength(3);
      },
    ));

  it('begins anew when its window has ended', () =>
    withStand(
      limited([{ name: 'short', path: '/api/stock/*', requests: 1, seconds: 3 }]),
      async (stand) => {
        expect(await statuses(2, () => read(stand))).toEqual([200, 429]);
        await eventually(async () => expect((await read(stand)).status).toBe(200));
      },
    ));

  it('is one bucket for a client that names itself in a thousand ways', () =>
    withStand(limited(READS), async (stand) => {
      const answers: number[] = [];
      for (let n = 0; n < 1_000; n += 50) {
        const some = Array.from({ length: 50 }, (_unused, more) =>
          read(stand, { 'x-forwarded-for': `10.0.${n}.${more}`, forwarded: `for=${n + more}` }),
        );
        for (const answer of await Promise.all(some)) answers.push(answer.status);
      }
      expect(answers.filter((each) => each === 200)).toHaveLength(3);
      expect(answers.filter((each) => each === 429)).toHaveLength(997);
    }));

  it('is one bucket for each client that a proxy of ours names, whatever stands before that', () =>
    withStand(limited(READS, { trustedHops: 1 }), async (stand) => {
      const from = (client: string) => (n: number) =>
        read(stand, { 'x-forwarded-for': `10.0.0.${n}, ${client}` });
      for (const client of ['192.0.2.1', '192.0.2.2', '2001:db8:1:2::1']) {
        const answers = await Promise.all([1, 2, 3, 4, 5].map(from(client)));
        expect(answers.filter((each) => each.status === 200)).toHaveLength(3);
      }
      // Another address of the same network, and another port of the same address.
      expect((await from('2001:db8:1:2::2')(1)).status).toBe(429);
      expect((await from('192.0.2.1:50123')(1)).status).toBe(429);
    }));

  it('is one bucket for each address whose requests need no token, where others do', () =>
    withTempDir((folder) => {
      const auth = {
        issuer: 'i',
        audience: 'a',
        secretFile: join(folder, 'secret'),
        rules: [{ path: '/api/stock/*', anyone: true as const }],
      };
      const config = { trustedHops: 1, gateway: { limits: READS, auth } };
      return withStand({ config }, async (stand) => {
        for (const client of ['192.0.2.1', '192.0.2.2']) {
          const ask = () => read(stand, { 'x-forwarded-for': client });
          expect(await statuses(4, ask)).toEqual([200, 200, 200, 429]);
        }
      });
    }));
});

/** How many requests of this client all facades together have counted, as Redis has it. */
async function counted(redisUrl: string, name: string): Promise<number> {
  const redis = new Redis(redisUrl);
  try {
    return Number(await redis.get(`fig:limit:${name}:60:127.0.0.1`));
  } finally {
    redis.disconnect();
  }
}

async function shared(stand: Pick<Stand, 'adminUrl'>, value: 0 | 1): Promise<void> {
  await eventually(async () =>
    expect(await metrics(stand)).toContain(`fig_rate_limits_shared ${value}\n`),
  );
}

describe('limits and Redis', () => {
  it('are one for two facades', () =>
    withRedis(({ url: redisUrl }) =>
      withStand({ ...limited(READS), redisUrl }, (first) =>
        withStand({ ...limited(READS), redisUrl }, async (second) => {
          await shared(first, 1);
          await shared(second, 1);
          expect(await statuses(3, () => read(first))).toEqual([200, 200, 200]);
          await eventually(async () => expect(await counted(redisUrl, 'reads')).toBe(3));
          // It hears of them with the answer to what it counts first.
          expect((await read(second)).status).toBe(200);
          await eventually(async () => expect((await read(second)).status).toBe(429));
          expect(await statuses(2, () => read(first))).toEqual([429, 429]);
        }),
      ),
    ));

  it('are one for all workers at a port, and follow the configuration', () =>
    withRedis(({ url: redisUrl }) =>
      withTempDir(async (folder) => {
        const server = await startFixture('old');
        const config = { upstreams: { old: server.url }, monolith: 'old', capabilities: {} };
        const limits: Limits = [{ name: 'all', path: '/*', requests: 100, seconds: 60 }];
        const env = { REDIS_URL: redisUrl, FACADE_WORKERS: '2' };
        await withSpawnedFacade({ folder, config, env }, async (facade) => {
          const one = new Agent({ connections: 1 });
          const onOne = async (): Promise<number> => {
            const { statusCode, body } = await send(facade.url, { dispatcher: one });
            await body.dump();
            return statusCode;
          };
          const onAnother = async (): Promise<number> => {
            const dispatcher = new Agent();
            const { statusCode, body } = await send(facade.url, { dispatcher });
            await body.dump();
            await dispatcher.close();
            return statusCode;
          };
          try {
            expect(await onOne()).toBe(200);
            expect(await metrics(facade)).not.toMatch(/^fig_rate_limits_shared/m);
            await facade.configure({ ...config, gateway: { limits } });
            await shared(facade, 1);
            server.received.length = 0;
            while ((await onOne()) === 200);
            expect(server.received).toHaveLength(100);
            await eventually(async () => expect(await counted(redisUrl, 'all')).toBe(100));
            await eventually(async () => {
              for (let n = 0; n < 12; n += 1) expect(await onAnother()).toBe(429);
            });
            expect(server.received.length).toBeLessThan(200);
          } finally {
            await one.close();
          }
        });
        await server.close();
      }),
    ));

  it('go on in the facade alone when Redis is stopped in the middle', () =>
    withTempDir(async (folder) => {
      const redis = await startRedis(folder);
      await withStand({ ...limited(READS), redisUrl: redis.url }, async (stand) => {
        await shared(stand, 1);
        expect((await read(stand)).status).toBe(200);
        await eventually(async () => expect(await counted(redis.url, 'reads')).toBe(1));
        await redis.stop();
        await shared(stand, 0);
        expect(await statuses(3, () => read(stand))).toEqual([200, 200, 429]);
        // Another client has a bucket of its own.
        const other = new RawClient(stand.port, '127.0.0.2').get('/api/stock/1');
        await eventually(() => other.statuses.length === 1);
        expect(other.statuses).toEqual([200]);
        other.close();
      });
    }));

  it('make no request wait for a Redis that hangs, and are one again when it is back', () =>
    withRedis(async (redis) => {
      await withStand({ ...limited(READS), redisUrl: redis.url }, async (stand) => {
        await shared(stand, 1);
        const pid = redis.pid() as number;
        process.kill(pid, 'SIGSTOP');
        try {
          expect((await read(stand)).status).toBe(200);
          await shared(stand, 0);
          expect((await read(stand)).headers['ratelimit']).toContain('r=1');
        } finally {
          process.kill(pid, 'SIGCONT');
        }
        expect((await read(stand)).status).toBe(200);
        await shared(stand, 1);
        expect((await read(stand)).status).toBe(429);
        expect(stand.legacy.received).toHaveLength(3);
      });
    }));
});

describe('an exhausted bucket in the middle of a handover', () => {
  const limits: Limits = [
    { name: 'writes', path: '/api/stock', methods: ['POST'], requests: 1, seconds: 8 },
  ];

  it('refuses at once what other clients have held, and holds at the new owner, too', () =>
    withPushedNews(
      async (stand) => {
        const write = (client: string): ReturnType<typeof request> => {
          const headers = { 'x-forwarded-for': client };
          return request('POST', `${stand.url}/api/stock`, { body: { client }, headers });
        };
        const written = ({ received }: Stand['legacy']): unknown[] =>
          received.map(({ body }) => (JSON.parse(body) as { client: string }).client);
        stand.legacy.answer = (_req, res) => json(res, 201, { from: 'legacy' });
        expect((await write('192.0.2.1')).body).toEqual({ from: 'legacy' });
        stand.legacy.answer = (_req, res) => fenced(res, 'stock', 'closed', 2);
        await publish(stand, routingState('stock', { holding: true, epoch: 2, owner: null }));
        await eventually(async () =>
          expect((await status(stand)).capabilities[0].holding).toBe(true),
        );
        const held = write('192.0.2.2');
        await eventually(async () => expect((await status(stand)).capabilities[0].heldNow).toBe(1));
        expect(await write('192.0.2.1')).toMatchObject({
          status: 429,
          body: { code: 'rate_limited' },
        });
        stand.extracted.answer = (_req, res) => json(res, 201, { from: 'extracted' });
        await publish(stand, routingState('stock', { owner: 'extracted', epoch: 2 }));
        const answer = await held;
        expect(answer.body).toEqual({ from: 'extracted' });
        expect(answer.headers['ratelimit']).toContain('"writes";r=0');
        expect(written(stand.extracted)).toEqual(['192.0.2.2']);
        await eventually(async () =>
          expect((await write('192.0.2.1')).body).toEqual({ from: 'extracted' }),
        );
        expect(written(stand.extracted)).toEqual(['192.0.2.2', '192.0.2.1']);
      },
      { trustedHops: 1, gateway: { limits } },
    ));
});
