import { describe, expect, it } from '@jest/globals';
import { createLog } from '../../chassis/index.ts';
import { eventually, inSoak } from '../../tests/support/index.ts';
import { Replication } from './replication.ts';
import { defineMapping } from '../mapping/index.ts';
import { openSides } from '../sides/sides.ts';
import { handOver } from '../../tests/strangler/support/hand-over.ts';
import {
  expectEqual,
  FILL,
  makeReplication,
  TIME,
  withReplication,
} from '../../tests/strangler/support/replication.ts';
import { withSides } from '../../tests/strangler/support/sides.ts';
import type { Sides } from '../../tests/strangler/support/sides.ts';
import { shop } from '../../tests/strangler/support/shop.ts';
import { withTraffic } from '../../tests/strangler/support/traffic.ts';

describe('a backfill', () => {
  it('copies what was there before, under live writes, also after dying midway', async () => {
    await withSides(async (sides) => {
      sides.legacy.exec(FILL);
      let replication = makeReplication(sides);
      await replication.install();
      await replication.start();
      await withTraffic(sides.legacy, 'legacy', 9, async () => {
        const killed = expect(replication.backfill()).rejects.toThrow();
        await eventually(async () => (await replication.status()).backfill.rows > 500, {
          intervalMs: 1,
        });
        await replication.stop();
        await killed;
        replication = makeReplication(sides);
        await replication.start();
        await eventually(async () => (await replication.status()).replicaReady, {
          timeoutMs: 20_000,
        });
      });
      await replication.barrier();
      expectEqual(sides);
      const { backfill } = await replication.status();
      expect(backfill).toMatchObject({ complete: true, running: false, problem: null });
      expect(backfill.rows).toBeGreaterThan(9_000);
      await replication.stop();
    });
  });

  it('takes away what the owner does not have, and repairs what differs', async () => {
    await withReplication(
      async (replication, sides) => {
        await replication.backfill();
        damage(sides);
        expect((await replication.reconcile()).clean).toBe(false);
        await replication.backfill();
        expect((await replication.reconcile()).clean).toBe(false);
        await replication.backfill({ restart: true });
        expectEqual(sides);
        expect((await replication.reconcile()).clean).toBe(true);
      },
      undefined,
      ({ legacy }) => legacy.exec(FILL),
    );
  });

  it('parks a row that has no way over, says which, and copies the rest', async () => {
    await withReplication(
      async (replication, { extracted }) => {
        await replication.backfill();
        const { backfill, parked, replicaReady } = await replication.status();
        expect([backfill.complete, backfill.problem, parked, replicaReady]).toEqual([
          true,
          null,
          1,
          false,
        ]);
        const [{ reason } = { reason: '' }] = extracted
          .prepare<[], { reason: string }>('SELECT reason FROM fig_parked')
          .all();
        expect(reason).toContain(`AMT: '7' is not a decimal`);
        expect(extracted.prepare('SELECT id FROM payments').pluck().all()).toEqual(['y']);
        expect((await replication.reconcile()).rows).toMatchObject([{ key: ['x'] }]);
      },
      undefined,
      ({ legacy }) =>
        legacy.exec(`INSERT INTO PAY VALUES ('x', '7', 'P', '${TIME}', '${TIME}'),
          ('y', '7.00', 'P', '${TIME}', '${TIME}')`),
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
    await withReplication(
      async (replication, sides) => {
        await replication.backfill();
        // As the backup that the owner came back from would have it.
        sides.extracted.exec('UPDATE fig_applied SET position = position + 100000');
        const other = makeReplication(sides);
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
    await withReplication(async (replication, { extracted }) => {
      extracted.exec(`UPDATE fig_fence SET state = 'open', epoch = 7`);
      await expect(replication.ownerChanged()).rejects.toThrow('both sides are open');
      await expect(replication.drainTo(1_000)).rejects.toThrow();
      extracted.exec(`UPDATE fig_fence SET state = 'closed', epoch = 8`);
      await replication.ownerChanged();
      await replication.barrier();
    });
  });
});

describe('another mapping', () => {
  it('asks for a new copy, since the old one carries other columns', async () => {
    await withReplication(
      async (replication, sides) => {
        await replication.backfill();
        const pairs = shop.pairs.map((pair) =>
          pair.name === 'levels' ? { ...pair, name: 'stock_levels' } : pair,
        );
        const changed = new Replication({
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
    await withReplication(
      async (replication, sides) => {
        const report = await withTraffic(sides.legacy, 'legacy', 10, async () => {
          await replication.backfill();
          expect(await replication.reconcile()).toMatchObject({
            clean: true,
            rows: [],
            owner: 'legacy',
          });
          damage(sides);
          return replication.reconcile();
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
        expect(await replication.lastReconcile()).toEqual(report);
      },
      undefined,
      ({ legacy }) => legacy.exec(FILL),
    );
  });

  it('stays clean while the hottest rows change, in either direction', async () => {
    await withReplication(async (replication, sides) => {
      await replication.backfill();
      for (const side of ['legacy', 'extracted'] as const) {
        await withTraffic(sides[side], side, 11, async () => {
          for (let round = 0; round < inSoak(10, 2); round += 1) {
            const { rows, clean } = await replication.reconcile();
            expect({ rows, clean }).toEqual({ rows: [], clean: true });
          }
        });
        await handOver(replication, side);
      }
    });
  });
});
