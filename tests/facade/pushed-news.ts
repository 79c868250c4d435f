import { afterAll, beforeAll } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { ROUTING_CHANNEL } from '../../routing/index.ts';
import type { FigConfigInput, RoutingState } from '../../routing/index.ts';
import { startRedis } from '../../system/index.ts';
import type { PrivateRedis } from '../../system/index.ts';
import { eventually, request } from '../support/index.ts';
import { withStand } from './stand.ts';
import type { Stand } from './stand.ts';

/** What the tests read of a facade's status. */
export interface Status {
  readonly routingNews: string;
  readonly capabilities: readonly [
    {
      readonly owner: string;
      readonly holding: boolean;
      readonly epoch: number;
      readonly heldNow: number;
      readonly cohorts: readonly object[];
    },
  ];
}

interface HeldWrite {
  readonly capability: string;
  readonly epoch: number;
  readonly ms: number;
  readonly key?: string;
}

interface PushedNews {
  /** Gives `use` a facade that is told over a real Redis. */
  withPushedNews(
    use: (stand: Stand) => Promise<void>,
    config?: Partial<FigConfigInput>,
  ): Promise<void>;
  /** Tells it as an engine would. */
  publish(stand: Stand, state: RoutingState): Promise<void>;
}

/** A Redis for all tests of a file. */
export function pushedNews(): PushedNews {
  let directory: string;
  let redis: PrivateRedis;
  let publisher: Redis;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fig-test-'));
    redis = await startRedis(directory);
    publisher = new Redis(redis.url);
  }, 120_000);

  afterAll(async () => {
    publisher.disconnect();
    await redis.stop();
    await rm(directory, { recursive: true, force: true });
  });

  return {
    async withPushedNews(use, config = {}) {
      await publisher.del(ROUTING_CHANNEL);
      await withStand({ redisUrl: redis.url, config }, async (stand) => {
        await eventually(async () => (await status(stand)).routingNews === 'pushed');
        await use(stand);
      });
    },
    async publish(stand, state) {
      stand.routing.set(state.capability, state);
      await publisher.hset(ROUTING_CHANNEL, state.capability, JSON.stringify(state));
      await publisher.publish(ROUTING_CHANNEL, JSON.stringify(state));
    },
  };
}

export async function status({ adminUrl }: Stand): Promise<Status> {
  return (await request<Status>('GET', `${adminUrl}/status`)).body;
}

export async function holds({ adminUrl }: Stand): Promise<readonly HeldWrite[]> {
  const answer = await request<{ holds: HeldWrite[] }>('GET', `${adminUrl}/holds?since=0`);
  return answer.body.holds;
}
