import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { eventually, withRedis } from '../../tests/support/index.ts';
import { queueName } from './feed/queue-source.ts';
import { handOver } from '../../tests/strangler/support/hand-over.ts';
import { contentOfExtracted } from '../../tests/strangler/support/history.ts';
import {
  expectEqual,
  FILL,
  TIME,
  withReplication,
} from '../../tests/strangler/support/replication.ts';
import { withTraffic } from '../../tests/strangler/support/traffic.ts';
import type { Traffic } from '../../tests/strangler/support/traffic.ts';

/** Waits until so many more events have happened. */
async function happened(traffic: Traffic, more: number): Promise<void> {
  const before = traffic.count;
  await eventually(() => traffic.count > before + more);
}

describe('changes', () => {
  it('reach the other side through a queue, and turn around with ownership', async () => {
    await withRedis((redis) =>
      withReplication(async (replication, sides) => {
        for (const side of ['legacy', 'extracted', 'legacy', 'extracted'] as const) {
          await eventually(async () => (await replication.status()).feed.transport === 'queue');
          await withTraffic(sides[side], side, 7, (traffic) => happened(traffic, 150));
          await replication.barrier();
          expectEqual(sides);
          expect((await replication.status()).feed.transport).toBe('queue');
          await handOver(replication, side);
        }
      }, redis.url),
    );
  });

  it('get there whatever happens to Redis: FLUSHALL, and its death', async () => {
    await withRedis(async (redis) => {
      const prompt = new Redis(redis.url);
      await withReplication(async (replication, sides) => {
        await eventually(async () => (await replication.status()).feed.transport === 'queue');
        await withTraffic(sides.legacy, 'legacy', 8, async (traffic) => {
          for (let round = 0; round < 5; round += 1) {
            await happened(traffic, 60);
            await prompt.flushall();
          }
          await replication.barrier();
          prompt.disconnect();
          await redis.stop();
          await happened(traffic, 100);
        });
        await replication.barrier();
        expectEqual(sides);
        expect((await replication.status()).feed.transport).toBe('direct');
      }, redis.url);
    });
  });

  it("of another installation are not taken for this one's, though Redis still holds them", async () => {
    await withRedis(async (redis) => {
      const { Queue } = await import('bullmq');
      const connection = { url: redis.url };
      const queue = new Queue(queueName('shop', 'legacy'), { connection });
      const row = '{"SKU":"ghost","QTY":1,"RSV":0,"NOTE":null}';
      const changes = [[2, 1, 'STOCK', '{"SKU":"ghost"}', 'upsert', row, 1, 0]];
      await queue.add('slice', { proof: 'of an older one', after: 0, upto: 2, changes });
      await withReplication(async (replication, sides) => {
        await eventually(async () => (await queue.getJobCountByTypes('wait', 'active')) === 0);
        await replication.barrier();
        expectEqual(sides);
        expect(contentOfExtracted(sides.extracted)['levels']).toEqual([]);
      }, redis.url);
      await queue.close();
    });
  });

  it('are trimmed from the feed once they are safe on the other side', async () => {
    await withReplication(async (replication, sides) => {
      const { legacy } = sides;
      legacy.exec(FILL);
      legacy.exec('UPDATE STOCK SET QTY = QTY + 1; UPDATE STOCK SET QTY = QTY + 1');
      expect((await replication.status()).feed.last).toBeGreaterThan(12_000);
      const kept = (): number =>
        legacy.prepare<[], number>('SELECT count(*) FROM fig_feed_shop').pluck().get() ?? 0;
      await eventually(async () => kept() < 8_000, { timeoutMs: 20_000 });
      expect(kept()).toBeGreaterThanOrEqual(5_000);
      await replication.barrier(20_000);
      expectEqual(sides);
    });
  });
});

describe('a barrier', () => {
  it('answers when what was committed before is on the other side, and never sooner', async () => {
    await withReplication(async (replication, { legacy, extracted }) => {
      for (let i = 0; i < 30; i += 1) {
        legacy.exec(`INSERT INTO STOCK VALUES ('row${i}', 1, 0, NULL)`);
        await replication.barrier();
        expect(
          extracted.prepare('SELECT 1 FROM levels WHERE sku = ?').get(`row${i}`),
        ).toBeDefined();
      }
    });
  });

  it('says so when it takes too long', async () => {
    await withReplication(async (replication, { legacy, extracted }) => {
      extracted.exec('BEGIN IMMEDIATE');
      legacy.exec(`INSERT INTO PAY VALUES ('x', '7.00', 'P', '${TIME}', '${TIME}')`);
      await expect(replication.barrier(50)).rejects.toThrow('was not applied in 50 ms');
      extracted.exec('ROLLBACK');
      await replication.barrier();
    });
  });

  it('does not vouch for a side that could not take a change', async () => {
    await withReplication(async (replication, { legacy }) => {
      legacy.exec(`INSERT INTO PAY VALUES ('x', '7', 'P', '${TIME}', '${TIME}')`);
      await expect(replication.barrier()).rejects.toThrow('are parked there (1)');
    });
  });
});
