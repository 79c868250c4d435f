import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { createLog } from '../chassis/index.ts';
import { eventually, withRedis } from '../tests/support/index.ts';
import { DataPlane } from './data-plane.ts';
import { queueName } from './feed/queue-source.ts';
import { defineMapping } from './mapping/index.ts';
import { openSides } from './sides.ts';
import { handOver } from './testing/hand-over.ts';
import { contentOfExtracted, expectedOfLegacy } from './testing/history.ts';
import { withSides } from './testing/sides.ts';
import type { Sides } from './testing/sides.ts';
import { shop } from './testing/shop.ts';
import { withTraffic } from './testing/traffic.ts';
import type { Traffic } from './testing/traffic.ts';

const TIME = '2026-01-01 00:00:00.000';
const FILL = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
  INSERT INTO STOCK SELECT 'bulk' || i, i, i / 2, NULL FROM n;
  INSERT INTO PAY SELECT SKU, QTY || '.05', substr('PSD', QTY % 3 + 1, 1), '${TIME}',
    iif(QTY % 3 = 0, '${TIME}', '2026-01-02 00:00:00.000') FROM STOCK;
  INSERT INTO RFND SELECT SKU, SKU, '1.00', 'P', '${TIME}', '${TIME}' FROM STOCK WHERE QTY < 500;`;

function makePlane({ urls }: Sides, redisUrl?: string): DataPlane {
  return new DataPlane({
    mapping: shop,
    databases: openSides(shop, urls),
    redisUrl,
    log: createLog('test', 'silent'),
  });
}

async function withPlane(
  work: (plane: DataPlane, sides: Sides) => Promise<void>,
  redisUrl?: string,
  prepare: (sides: Sides) => void = () => undefined,
): Promise<void> {
  await withSides(async (sides) => {
    prepare(sides);
    const plane = makePlane(sides, redisUrl);
    await plane.install();
    await plane.start();
    try {
      await work(plane, sides);
    } finally {
      await plane.stop();
    }
  });
}

/** Waits until so many more events have happened. */
async function happened(traffic: Traffic, more: number): Promise<void> {
  const before = traffic.count;
  await eventually(() => traffic.count > before + more);
}

function expectEqual({ legacy, extracted }: Sides): void {
  expect(contentOfExtracted(extracted)).toEqual(expectedOfLegacy(legacy));
}

describe('changes', () => {
  it('reach the other side through a queue, and turn around with ownership', async () => {
    await withRedis((redis) =>
      withPlane(async (plane, sides) => {
        for (const side of ['legacy', 'extracted', 'legacy', 'extracted'] as const) {
          await eventually(async () => (await plane.status()).feed.transport === 'queue');
          await withTraffic(sides[side], side, 7, (traffic) => happened(traffic, 150));
          await plane.barrier();
          expectEqual(sides);
          expect((await plane.status()).feed.transport).toBe('queue');
          await handOver(plane, side);
        }
      }, redis.url),
    );
  });

  it('get there whatever happens to Redis: FLUSHALL, and its death', async () => {
    await withRedis(async (redis) => {
      const prompt = new Redis(redis.url);
      await withPlane(async (plane, sides) => {
        await eventually(async () => (await plane.status()).feed.transport === 'queue');
        await withTraffic(sides.legacy, 'legacy', 8, async (traffic) => {
          for (let round = 0; round < 5; round += 1) {
            await happened(traffic, 60);
            await prompt.flushall();
          }
          await plane.barrier();
          prompt.disconnect();
          await redis.stop();
          await happened(traffic, 100);
        });
        await plane.barrier();
        expectEqual(sides);
        expect((await plane.status()).feed.transport).toBe('direct');
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
      await queue.add('slice', { incarnation: 'an older one', after: 0, upto: 2, changes });
      await withPlane(async (plane, sides) => {
        await eventually(async () => (await queue.getJobCountByTypes('wait', 'active')) === 0);
        await plane.barrier();
        expectEqual(sides);
        expect(contentOfExtracted(sides.extracted)['levels']).toEqual([]);
      }, redis.url);
      await queue.close();
    });
  });

  it('are trimmed from the feed once they are safe on the other side', async () => {
    await withPlane(async (plane, sides) => {
      const { legacy } = sides;
      legacy.exec(FILL);
      legacy.exec('UPDATE STOCK SET QTY = QTY + 1; UPDATE STOCK SET QTY = QTY + 1');
      expect((await plane.status()).feed.last).toBeGreaterThan(12_000);
      await eventually(async () => (await plane.status()).feed.kept < 8_000, { timeoutMs: 20_000 });
      expect((await plane.status()).feed.kept).toBeGreaterThanOrEqual(5_000);
      await plane.barrier(20_000);
      expectEqual(sides);
    });
  });
});

describe('a backfill', () => {
  it('copies what was there before, under live writes, also after dying midway', async () => {
    await withSides(async (sides) => {
      sides.legacy.exec(FILL);
      let plane = makePlane(sides);
      await plane.install();
      await plane.start();
      await withTraffic(sides.legacy, 'legacy', 9, async () => {
        const killed = expect(plane.backfill()).rejects.toThrow();
        await eventually(async () => (await plane.status()).backfill.rows > 500, { intervalMs: 1 });
        await plane.stop();
        await killed;
        plane = makePlane(sides);
        await plane.start();
        await eventually(async () => (await plane.status()).replicaReady, { timeoutMs: 20_000 });
      });
      await plane.barrier();
      expectEqual(sides);
      const { backfill } = await plane.status();
      expect(backfill).toMatchObject({ complete: true, running: false, problem: null });
      expect(backfill.rows).toBeGreaterThan(9_000);
      await plane.stop();
    });
  });

  it('takes away what the owner does not have, and repairs what differs', async () => {
    await withPlane(
      async (plane, sides) => {
        await plane.backfill();
        damage(sides);
        expect((await plane.reconcile()).clean).toBe(false);
        await plane.backfill();
        expect((await plane.reconcile()).clean).toBe(false);
        await plane.backfill({ restart: true });
        expectEqual(sides);
        expect((await plane.reconcile()).clean).toBe(true);
      },
      undefined,
      ({ legacy }) => legacy.exec(FILL),
    );
  });

  it('stops at a row that has no way over, and says which', async () => {
    await withPlane(
      async (plane) => {
        await expect(plane.backfill()).rejects.toThrow(`["x"]: AMT: '7' is not a decimal`);
        expect((await plane.status()).backfill.problem).toContain(`'7' is not a decimal`);
        expect((await plane.status()).replicaReady).toBe(false);
      },
      undefined,
      ({ legacy }) => legacy.exec(`INSERT INTO PAY VALUES ('x', '7', 'P', '${TIME}', '${TIME}')`),
    );
  });
});

/** Changes rows of the copy by hand, past its fence. */
function damage({ extracted }: Sides): void {
  extracted.exec(`BEGIN IMMEDIATE; UPDATE fig_clock SET applying = 1;
    UPDATE levels SET on_hand = 77777 WHERE sku = 'bulk7';
    DELETE FROM holds WHERE sku IN ('bulk8', 'bulk9');
    INSERT INTO levels VALUES ('nobody', 1, NULL);
    UPDATE entries SET amount = 1 WHERE payment_id = 'bulk11' AND entry_id = 'settlement';
    DELETE FROM entries WHERE entry_id = 'refund:bulk12';
    UPDATE fig_clock SET applying = 0; COMMIT`);
}

describe('a database that was restored', () => {
  it('is noticed when its feed ends before what was applied, and a new copy mends it', async () => {
    await withPlane(
      async (plane, sides) => {
        await plane.backfill();
        // As the backup that the owner came back from would have it.
        sides.extracted.exec('UPDATE fig_applied SET position = position + 100000');
        const other = makePlane(sides);
        await other.start();
        await eventually(async () => (await other.status()).problem !== null);
        const { problem, replicaReady } = await other.status();
        expect(problem?.message).toContain('a database was restored');
        expect(replicaReady).toBe(false);
        await other.backfill({ restart: true });
        expect(await other.reconcile()).toMatchObject({ clean: true });
        expect((await other.status()).replicaReady).toBe(true);
        await other.stop();
      },
      undefined,
      ({ legacy }) => legacy.exec(FILL),
    );
  });

  it('is not followed while both sides say that they are the owner', async () => {
    await withPlane(async (plane, { extracted }) => {
      extracted.exec(`UPDATE fig_fence SET state = 'open', epoch = 7`);
      await expect(plane.ownerChanged()).rejects.toThrow('both sides are open');
      await expect(plane.drainTo(1_000)).rejects.toThrow();
      extracted.exec(`UPDATE fig_fence SET state = 'closed', epoch = 8`);
      await plane.ownerChanged();
      await plane.barrier();
    });
  });
});

describe('another mapping', () => {
  it('asks for a new copy, since the old one carries other columns', async () => {
    await withPlane(
      async (plane, sides) => {
        await plane.backfill();
        const pairs = shop.pairs.map((pair) =>
          pair.name === 'levels' ? { ...pair, name: 'stock_levels' } : pair,
        );
        const changed = new DataPlane({
          mapping: defineMapping({ capability: 'shop', pairs }),
          databases: openSides(defineMapping({ capability: 'shop', pairs }), sides.urls),
          log: createLog('test', 'silent'),
        });
        expect(await changed.status()).toMatchObject({ mappingCurrent: false });
        await changed.install();
        expect(await changed.status()).toMatchObject({ mappingCurrent: true, replicaReady: false });
        await changed.start();
        await changed.backfill();
        expect(await changed.reconcile()).toMatchObject({ clean: true });
        await changed.stop();
      },
      undefined,
      ({ legacy }) => legacy.exec(FILL),
    );
  });
});

describe('a reconcile', () => {
  it('finds exactly the damaged rows under live writes, and keeps its report', async () => {
    await withPlane(
      async (plane, sides) => {
        const report = await withTraffic(sides.legacy, 'legacy', 10, async () => {
          await plane.backfill();
          expect(await plane.reconcile()).toMatchObject({ clean: true, rows: [], owner: 'legacy' });
          damage(sides);
          return plane.reconcile();
        });
        expect(report.clean).toBe(false);
        expect(report.rows.map(({ pair, kind, key }) => [pair, kind, key])).toEqual([
          ['levels', 'different', ['bulk7']],
          ['levels', 'extra', ['nobody']],
          ['holds', 'missing', ['bulk8']],
          ['holds', 'missing', ['bulk9']],
          ['settlements', 'different', ['bulk11']],
          ['refunds', 'missing', ['bulk12']],
        ]);
        expect(report.rows[0]).toMatchObject({
          columns: ['on_hand'],
          source: { SKU: 'bulk7', QTY: 7 },
          target: { sku: 'bulk7', on_hand: 77777 },
        });
        expect(await plane.lastReconcile()).toEqual(report);
      },
      undefined,
      ({ legacy }) => legacy.exec(FILL),
    );
  });

  it('stays clean while the hottest rows change, in either direction', async () => {
    await withPlane(async (plane, sides) => {
      await plane.backfill();
      for (const side of ['legacy', 'extracted'] as const) {
        await withTraffic(sides[side], side, 11, async () => {
          for (let round = 0; round < 10; round += 1) {
            const { rows, clean } = await plane.reconcile();
            expect({ rows, clean }).toEqual({ rows: [], clean: true });
          }
        });
        await handOver(plane, side);
      }
    });
  });
});

describe('a barrier', () => {
  it('answers when what was committed before is on the other side, and never sooner', async () => {
    await withPlane(async (plane, { legacy, extracted }) => {
      for (let i = 0; i < 30; i += 1) {
        legacy.exec(`INSERT INTO STOCK VALUES ('row${i}', 1, 0, NULL)`);
        await plane.barrier();
        expect(
          extracted.prepare('SELECT 1 FROM levels WHERE sku = ?').get(`row${i}`),
        ).toBeDefined();
      }
    });
  });

  it('says so when it takes too long', async () => {
    await withPlane(async (plane, { legacy, extracted }) => {
      extracted.exec('BEGIN IMMEDIATE');
      legacy.exec(`INSERT INTO PAY VALUES ('x', '7.00', 'P', '${TIME}', '${TIME}')`);
      await expect(plane.barrier(50)).rejects.toThrow('was not applied in 50 ms');
      extracted.exec('ROLLBACK');
      await plane.barrier();
    });
  });

  it('does not vouch for a side that could not take a change', async () => {
    await withPlane(async (plane, { legacy }) => {
      legacy.exec(`INSERT INTO PAY VALUES ('x', '7', 'P', '${TIME}', '${TIME}')`);
      await expect(plane.barrier()).rejects.toThrow('are parked there (1)');
    });
  });
});
