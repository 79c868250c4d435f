import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { built, eventually, inSoak } from '../../../tests/support/index.ts';
import { otherSide } from '../../../routing/side.ts';
import type { SideName } from '../../../routing/side.ts';
import { handOver } from '../../../tests/strangler/support/hand-over.ts';
import { withMoved } from '../../../tests/strangler/support/moving.ts';
import {
  expectEqual,
  TIME,
  withReplication,
} from '../../../tests/strangler/support/replication.ts';
import type { Prompt, Sides } from '../../../tests/strangler/support/sides.ts';
import { oneTable } from '../../../tests/strangler/support/one-table.ts';
import { reconcile } from './reconcile.ts';
import type { ReconcileReport } from './report.ts';

const WORD = 'CREATE TABLE word (k INTEGER PRIMARY KEY, v TEXT)';
const words = oneTable({ capability: 'words', table: 'word', columns: ['v'] });

async function withHotRows({ legacy }: Sides, work: () => Promise<void>): Promise<void> {
  const script = built(new URL('../../../tests/strangler/support/hot-writer.ts', import.meta.url));
  const child = spawn(process.execPath, ['--enable-source-maps', script, legacy.name], {
    stdio: 'inherit',
  });
  const ended = once(child, 'exit');
  try {
    const busy = legacy.prepare('SELECT count(*) > 20 FROM PAY').pluck();
    await eventually(() => busy.get() === 1);
    await work();
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

describe('comparing both sides', () => {
  it('does not take what this owner wrote before a handover for what the other side has to hold', () =>
    withMoved(
      { mapping: words, legacy: ['sqlite', WORD], extracted: ['sqlite', WORD] },
      async ({ replication, sessions, databases }) => {
        await sessions.legacy.run("INSERT INTO word VALUES (1, 'first')");
        await replication.barrier();
        await handOver(replication, 'legacy');
        await sessions.extracted.run("UPDATE word SET v = 'second'");
        await replication.barrier();
        await handOver(replication, 'extracted');
        await replication.halt();
        await sessions.legacy.run("UPDATE word SET v = 'third'");
        const report = await reconcile({
          mapping: words,
          source: databases.legacy,
          target: databases.extracted,
          signal: new AbortController().signal,
          applied: () => Promise.resolve(),
        });
        expect(report.pairs).toEqual([
          { pair: 'word', rows: 1, missing: 0, extra: 0, different: 0, unsettled: 1 },
        ]);
      },
    ));

  it('finds what is damaged and nothing else while another process changes the same rows', async () => {
    await withReplication(async (replication, sides) => {
      sides.legacy.exec(`INSERT INTO STOCK VALUES ('calm', 1, 0, NULL)`);
      await withHotRows(sides, async () => {
        await replication.backfill();
        // On a machine that is busy with others, too, each takes seconds.
        const enough = performance.now() + inSoak(20_000, 0);
        for (let round = 0; round < 20 && (round < 3 || performance.now() < enough); round += 1) {
          const { rows, clean } = await replication.reconcile();
          expect({ rows, clean }).toEqual({ rows: [], clean: true });
        }
        sides.extracted.exec(`BEGIN IMMEDIATE; UPDATE fig_clock SET applying = 1;
          UPDATE levels SET on_hand = 2 WHERE sku = 'calm'; UPDATE fig_clock SET applying = 0; COMMIT`);
        const { rows } = await replication.reconcile();
        expect(rows).toMatchObject([{ pair: 'levels', kind: 'different', key: ['calm'] }]);
      });
      await replication.backfill({ restart: true });
      expectEqual(sides);
    });
  });

  it.each(['legacy', 'extracted'] as const)(
    'mends exactly what differs, when %s is the owner',
    async (owner) => {
      await withReplication(async (replication, sides) => {
        fill(sides.legacy, 40);
        await replication.backfill();
        if (owner === 'extracted') await handOver(replication, 'legacy');
        damage(sides, owner);
        const report = await replication.repair();
        expect(report.clean).toBe(false);
        expect(report.repair.left).toBe(0);
        // One row of the owner may be several of the other side.
        expect(report.repair.queued).toBeLessThanOrEqual(report.rows.length);
        expect(await replication.reconcile()).toMatchObject({ clean: true, rows: [] });
        expectEqual(sides);
        expect(await replication.repair()).toMatchObject({
          clean: true,
          repair: { queued: 0, left: 0 },
        });
      });
    },
  );

  it('can be done for a sample, which proves nothing but what it finds', async () => {
    await withReplication(async (replication, sides) => {
      fill(sides.legacy, 4_000);
      await replication.backfill();
      const whole = await replication.reconcile();
      const part = await replication.reconcile({ sample: 25 });
      expect(part).toMatchObject({ clean: true, sample: 25 });
      const compared = (report: ReconcileReport): number =>
        report.pairs.find(({ pair }) => pair === 'levels')?.rows ?? 0;
      expect(compared(whole)).toBe(4_000);
      expect(compared(part)).toBeGreaterThanOrEqual(800);
      expect(compared(part)).toBeLessThanOrEqual(1_200);
      // What the gates look at is the newest whole comparison, or what a sample has found.
      expect(await replication.lastReconcile()).toMatchObject({ sample: null });
      sides.extracted.exec(`BEGIN IMMEDIATE; UPDATE fig_clock SET applying = 1;
        UPDATE levels SET on_hand = on_hand + 1; UPDATE fig_clock SET applying = 0; COMMIT`);
      const found = await replication.reconcile({ sample: 25 });
      expect(found.clean).toBe(false);
      expect(await replication.lastReconcile()).toMatchObject({ sample: 25, clean: false });
      await replication.repair();
      expect(await replication.reconcile()).toMatchObject({ clean: true });
    });
  });
});

function fill(legacy: Prompt, rows: number): void {
  legacy.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
    INSERT INTO STOCK SELECT 'k' || i, i, i / 2, NULL FROM n;
    INSERT INTO PAY SELECT SKU, QTY || '.05', 'S', '${TIME}', '2026-01-02 00:00:00.000' FROM STOCK
      WHERE QTY < 30;
    INSERT INTO RFND SELECT SKU, SKU, '1.00', 'P', '${TIME}', '${TIME}' FROM STOCK WHERE QTY < 20;
    INSERT INTO LINES SELECT SKU, 1, SKU, x'00' FROM STOCK WHERE QTY < 10;`);
}

/** Changes the copy by hand, past its fence: rows that differ, that are missing, that are too many. */
function damage(sides: Sides, owner: SideName): void {
  const statements = {
    legacy: `UPDATE levels SET on_hand = 999 WHERE sku = 'k1';
      DELETE FROM holds WHERE sku = 'k2'; DELETE FROM payments WHERE id = 'k3';
      UPDATE entries SET amount = 7 WHERE entry_id IN ('settlement', 'refund:k5');
      INSERT INTO entries VALUES ('k4', 'refund:none', 'refund_requested', 1, 1);
      INSERT INTO lines VALUES ('none', 1, NULL, NULL)`,
    extracted: `UPDATE STOCK SET RSV = 0, QTY = 999 WHERE SKU = 'k3';
      DELETE FROM STOCK WHERE SKU = 'k4'; DELETE FROM PAY WHERE PAY_NO = 'k5';
      INSERT INTO RFND VALUES ('none', 'k1', '1.00', 'P', '${TIME}', '${TIME}');
      UPDATE PAY SET STAT = 'P', UPD = CRT WHERE PAY_NO = 'k6';
      UPDATE LINES SET DATA = NULL`,
  };
  sides[otherSide(owner)].exec(
    `BEGIN IMMEDIATE; UPDATE fig_clock SET applying = 1; ${statements[owner]};
     UPDATE fig_clock SET applying = 0; COMMIT`,
  );
}
