import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { createLog, NO_TOKEN } from '../../chassis/index.ts';
import { eventually, withRedis } from '../../tests/support/index.ts';
import { ROUTING_CHANNEL } from '../../routing/index.ts';
import type { RoutingState } from '../../routing/index.ts';
import { RoutingPublisher } from './routing-publisher.ts';
import type { Move } from './routing-truth.ts';

const log = createLog('test', 'silent');

async function withPublisher<T>(
  url: string | undefined,
  use: (publisher: RoutingPublisher) => Promise<T>,
): Promise<T> {
  const publisher = new RoutingPublisher(url, log, NO_TOKEN);
  try {
    return await use(publisher);
  } finally {
    publisher.close();
  }
}

const truth = { owner: 'legacy', epoch: 3, replicaReady: true, holding: false } as const;

const move: Move = {
  capability: 'stock',
  from: 'legacy',
  to: 'extracted',
  epoch: 4,
  keys: null,
};

describe('news of ownership', () => {
  it('is pushed, and kept to be asked for', () =>
    withRedis(async ({ url }) => {
      const redis = new Redis(url);
      const heard: RoutingState[] = [];
      const subscriber = new Redis(url);
      subscriber.on('message', (_channel, text: string) =>
        heard.push(JSON.parse(text) as RoutingState),
      );
      await subscriber.subscribe(ROUTING_CHANNEL);
      try {
        await withPublisher(url, async (publisher) => {
          await eventually(() => expect(publisher.live).toBe(true));
          await publisher.tell('stock', truth);
          await publisher.hold(move);
          await publisher.owner(move, 'extracted', 4);
          await eventually(() => expect(heard).toHaveLength(3));
          expect(heard).toMatchObject([
            { capability: 'stock', owner: 'legacy', epoch: 3, holding: false },
            { owner: null, epoch: 4, holding: true, replicaReady: true },
            { owner: 'extracted', epoch: 4, holding: false },
          ]);
          const generations = heard.map(({ generation }) => generation);
          expect(generations).toEqual(
            [...new Set(generations)].sort((left, right) => left - right),
          );
          expect(JSON.parse((await redis.hget(ROUTING_CHANNEL, 'stock')) ?? '')).toEqual(heard[2]);
          expect(publisher.states).toEqual([heard[2]]);
        });
      } finally {
        redis.disconnect();
        subscriber.disconnect();
      }
    }));

  it('that is older than what was told is kept back', () =>
    withPublisher(undefined, async (publisher) => {
      await publisher.hold(move);
      await publisher.tell('stock', truth);
      expect(publisher.states).toMatchObject([{ owner: null, epoch: 4, holding: true }]);
    }));

  it('waits for nobody while Redis is away, and is told when it comes', async () => {
    const gone = await withRedis(async ({ url }) => url);
    await withPublisher(gone, async (publisher) => {
      const began = performance.now();
      for (let times = 0; times < 50; times += 1) await publisher.tell('stock', truth);
      expect(performance.now() - began).toBeLessThan(200);
      expect(publisher.live).toBe(false);
      expect(publisher.states).toMatchObject([{ owner: 'legacy' }]);
    });
  });

  it('is told again to a Redis that has lost its memory', () =>
    withRedis(async ({ url }) => {
      const redis = new Redis(url);
      try {
        await withPublisher(url, async (publisher) => {
          await publisher.tell('stock', truth);
          await eventually(async () => expect(await redis.hlen(ROUTING_CHANNEL)).toBe(1));
          await redis.flushall();
          await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
          await eventually(async () => expect(await redis.hlen(ROUTING_CHANNEL)).toBe(1));
        });
      } finally {
        redis.disconnect();
      }
    }));
});
