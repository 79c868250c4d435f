import { describe, expect, it } from '@jest/globals';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { eventually, withRedis } from '../../../tests/support/index.ts';
import { itInSoak } from '../../../tests/support/it-in-soak.ts';
import type { Replication } from '../replication.ts';
import { contentOfExtracted, expectedOfLegacy } from '../../../tests/strangler/support/history.ts';
import { makeReplication } from '../../../tests/strangler/support/replication.ts';
import { withSides } from '../../../tests/strangler/support/sides.ts';
import type { Sides } from '../../../tests/strangler/support/sides.ts';
import { queueName } from './queue-source.ts';

/** What the relay may be ahead of the applier, and the largest slice. */
const MOST_AHEAD = 20_000;
const SLICE = 500;

async function memoryOf(redis: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
}

interface Stage extends Pick<Sides, 'legacy' | 'extracted'> {
  readonly replication: Replication;
  readonly queue: Queue;
  readonly redis: Redis;
}

/** Two databases and what carries changes through a Redis between them, which is not yet started. */
function withReplication(work: (stage: Stage) => Promise<void>): Promise<void> {
  return withRedis(({ url }) =>
    withSides(async ({ urls, legacy, extracted }) => {
      const replication = makeReplication({ urls }, url);
      const redis = new Redis(url);
      const queue = new Queue(queueName('shop', 'legacy'), { connection: { url } });
      await replication.install();
      try {
        await work({ replication, queue, redis, legacy, extracted });
      } finally {
        if (extracted.inTransaction) extracted.exec('ROLLBACK');
        await queue.close();
        redis.disconnect();
        await replication.stop();
      }
    }),
  );
}

describe('the feed in Redis', () => {
  it('travels in smaller slices where somebody else writes to the other side', () =>
    withReplication(async ({ replication, queue, legacy, extracted }) => {
      await replication.start();
      await eventually(async () => (await replication.status()).feed.transport === 'queue');
      const rows = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
        INSERT INTO STOCK SELECT 'k' || i, i, 0, NULL FROM n`;
      const sizes = async (): Promise<number[]> => {
        const jobs = await queue.getJobs(['waiting', 'active']);
        return jobs.map(({ data }) => data.changes.length as number);
      };
      const sent = async (): Promise<number> => {
        const { feed } = await replication.status();
        return feed.sent - feed.applied;
      };
      // Somebody keeps the target's write lock, which the applier finds out with the next heartbeats.
      extracted.exec('BEGIN IMMEDIATE');
      await eventually(async () => expect(await sent()).toBeGreaterThan(1));
      legacy.exec(rows);
      await eventually(async () => expect(await sent()).toBeGreaterThan(2_000));
      expect(Math.max(...(await sizes()))).toBeLessThanOrEqual(100);
      extracted.exec('ROLLBACK');
      await replication.barrier(30_000);
      expect(contentOfExtracted(extracted)).toEqual(expectedOfLegacy(legacy));
    }));

  itInSoak(
    'stays small while the other side does not follow: the rest waits in the database',
    () =>
      withReplication(async ({ replication, queue, redis, legacy, extracted }) => {
        await replication.start();
        await eventually(async () => (await replication.status()).feed.transport === 'queue');
        const ahead = async (): Promise<number> => {
          const { sent, applied } = (await replication.status()).feed;
          return sent - applied;
        };
        // Somebody keeps the target's write lock.
        extracted.exec('BEGIN IMMEDIATE');
        legacy.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
          INSERT INTO STOCK SELECT 'k' || i, i, 0, 'a note of some length' FROM n;
          UPDATE STOCK SET QTY = QTY + 1`);
        // Beyond this the relay sends nothing more; before, how many jobs are to come depends on the
        // size of the slices, which is a fifth while somebody else writes.
        await eventually(async () => expect(await ahead()).toBeGreaterThan(MOST_AHEAD));
        const [jobs, memory] = [await queue.getWaitingCount(), await memoryOf(redis)];
        legacy.exec('UPDATE STOCK SET QTY = QTY + 1');
        const { last } = (await replication.status()).feed;
        // The relay has had its turn when heartbeats have been written, each of which wakes it.
        await eventually(async () =>
          expect((await replication.status()).feed.last).toBeGreaterThan(last + 3),
        );
        expect(await ahead()).toBeLessThanOrEqual(MOST_AHEAD + SLICE);
        expect(await queue.getWaitingCount()).toBe(jobs);
        expect(await memoryOf(redis)).toBeLessThan(memory + 1_000_000);
        extracted.exec('ROLLBACK');
        await replication.barrier(30_000);
        expect(contentOfExtracted(extracted)).toEqual(expectedOfLegacy(legacy));
        await eventually(async () => expect(await queue.getWaitingCount()).toBe(0));
        expect(await memoryOf(redis)).toBeLessThan(memory);
      }),
    60_000,
  );

  it('begins with the backlog that is there', () =>
    withReplication(async ({ replication, queue, redis, legacy, extracted }) => {
      legacy.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
        INSERT INTO STOCK SELECT 'k' || i, i, 0, 'waits' FROM n`);
      const backlog = legacy.prepare('SELECT max(position) FROM fig_feed_shop').pluck().get();
      await replication.start();
      await eventually(async () =>
        expect((await replication.status()).feed.applied).toBeGreaterThanOrEqual(Number(backlog)),
      );
      expect(contentOfExtracted(extracted)).toEqual(expectedOfLegacy(legacy));
      // Jobs are numbered, and bring up to 500 changes. While nothing has moved yet, one slice may be
      // read without Redis.
      const jobs = Number(await redis.get(queue.toKey('id')));
      expect(jobs).toBeGreaterThanOrEqual(Number(backlog) / 500 - 1);
    }));
});
