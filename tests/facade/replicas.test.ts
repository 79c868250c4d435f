import { describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { makeTokenFile, tokenIn } from '../../chassis/index.ts';
import { ROUTING_CHANNEL } from '../../routing/index.ts';
import { startRedis } from '../../system/index.ts';
import { eventually, request, withTempDir } from '../support/index.ts';
import { itInSoak } from '../support/it-in-soak.ts';
import { withSpawnedFacade } from './spawned-facade.ts';
import type { SpawnedFacade } from './spawned-facade.ts';
import { fenced, json, routingState, startFixture } from './stand.ts';
import type { Fixture } from './stand.ts';
import { STOCK } from './stock.ts';

/** Two facades before the same two sides; the second may be without Redis. */
interface Replicas {
  readonly first: SpawnedFacade;
  readonly second: SpawnedFacade;
  readonly legacy: Fixture;
  readonly extracted: Fixture;
  /** Ownership goes from legacy to extracted, fences first, then the news of it. */
  move(): Promise<void>;
}

function withReplicas(
  { secondHasRedis }: { readonly secondHasRedis: boolean },
  use: (replicas: Replicas) => Promise<void>,
): Promise<void> {
  return withTempDir(async (folder) => {
    const redis = await startRedis(folder);
    const publisher = new Redis(redis.url);
    const legacy = await startFixture('legacy');
    const extracted = await startFixture('extracted');
    const engine = await startFixture('engine');
    const tokenFile = join(folder, 'token');
    makeTokenFile(tokenFile);
    let state = routingState('stock');
    engine.answer = (req, res) =>
      json(res, 200, req.url === '/routing' ? [state] : { position: 1 });
    legacy.answer = (_req, res) => json(res, 201, { from: 'legacy' });
    extracted.answer = (_req, res) => fenced(res, 'stock', 'closed', 0);
    const config = {
      upstreams: { legacy: legacy.url, extracted: extracted.url },
      monolith: 'legacy',
      capabilities: {
        stock: STOCK,
      },
    };
    const start = async (
      name: string,
      redisUrl: string,
      then: (facade: SpawnedFacade) => Promise<void>,
    ): Promise<void> => {
      await mkdir(join(folder, name));
      const env = { ENGINE_URL: engine.url, REDIS_URL: redisUrl, FIG_TOKEN_FILE: tokenFile };
      await withSpawnedFacade({ folder: join(folder, name), config, env }, then);
    };
    const move = async (): Promise<void> => {
      legacy.answer = (_req, res) => fenced(res, 'stock', 'ceded', 2);
      extracted.answer = (_req, res) => json(res, 201, { from: 'extracted' });
      state = routingState('stock', { owner: 'extracted', epoch: 2 });
      const text = tokenIn(tokenFile).seal(ROUTING_CHANNEL, JSON.stringify(state));
      await publisher.hset(ROUTING_CHANNEL, 'stock', text);
      await publisher.publish(ROUTING_CHANNEL, text);
    };
    try {
      await start('first', redis.url, (first) =>
        start('second', secondHasRedis ? redis.url : 'redis://127.0.0.1:9', (second) =>
          use({ first, second, legacy, extracted, move }),
        ),
      );
    } finally {
      publisher.disconnect();
      await redis.stop();
      await Promise.all([legacy, extracted, engine].map((each) => each.close()));
    }
  });
}

function write({ url }: SpawnedFacade, key: string): ReturnType<typeof request> {
  const headers = { 'idempotency-key': key, 'x-customer-id': 'C1' };
  return request('POST', `${url}/api/stock`, { body: { key }, headers });
}

/** How often a side was asked to do this write. */
function asked({ received }: Fixture, key: string): number {
  return received.filter(({ headers }) => headers['idempotency-key'] === key).length;
}

describe('of two facades', () => {
  it('one that is paused holds nobody up, and is late but not wrong', () =>
    withReplicas({ secondHasRedis: true }, async ({ first, second, legacy, extracted, move }) => {
      expect((await write(second, 'before')).body).toEqual({ from: 'legacy' });
      second.signal('SIGSTOP');
      try {
        await move();
        const late = write(second, 'late');
        expect(await write(first, 'meanwhile')).toMatchObject({
          status: 201,
          body: { from: 'extracted' },
        });
        second.signal('SIGCONT');
        expect(await late).toMatchObject({ status: 201, body: { from: 'extracted' } });
      } finally {
        second.signal('SIGCONT');
      }
      expect(asked(legacy, 'before')).toBe(1);
      for (const key of ['meanwhile', 'late']) expect(asked(extracted, key)).toBe(1);
    }));

  itInSoak('one that is cut off from Redis and from news finds the owner by its fence', () =>
    withReplicas({ secondHasRedis: false }, async ({ second, legacy, extracted, move }) => {
      expect((await write(second, 'before')).body).toEqual({ from: 'legacy' });
      await move();
      expect(await write(second, 'after')).toMatchObject({
        status: 201,
        body: { from: 'extracted' },
      });
      expect(asked(extracted, 'after')).toBe(1);
      expect(asked(legacy, 'after')).toBeLessThanOrEqual(1);
    }),
  );

  it('one that dies in the middle of a write takes none of the other along', () =>
    withReplicas({ secondHasRedis: true }, async ({ first, second, legacy, move }) => {
      const told = legacy.answer;
      legacy.answer = () => undefined;
      const cut = write(second, 'cut').catch(() => 'cut off' as const);
      await eventually(() => asked(legacy, 'cut') === 1);
      second.signal('SIGKILL');
      expect(await cut).toBe('cut off');
      legacy.answer = told;
      expect((await write(first, 'before')).body).toEqual({ from: 'legacy' });
      await move();
      expect((await write(first, 'after')).body).toEqual({ from: 'extracted' });
    }));
});
