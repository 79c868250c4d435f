import Database from 'better-sqlite3';
import { describe, expect, it } from '@jest/globals';
import { sqliteFile } from '../../chassis/index.ts';
import {
  countMismatches,
  createProgress,
  generateDataset,
  rehearse,
} from '../../rehearsal/index.ts';
import type { CommandResult } from '../../rehearsal/index.ts';
import type { System } from '../../system/index.ts';
import { showOnFailure } from '../support/index.ts';

interface Difference {
  readonly pair: string;
  readonly kind: string;
  readonly key: unknown;
}

const [CHANGED, LOST, INVENTED] = ['FIG-001', 'FIG-002', 'FIG-999'] as const;

/** Goods that nobody orders: what is wrong with a row lasts until its owner changes it. */
function dataset(): ReturnType<typeof generateDataset> {
  const all = generateDataset(5, { products: 20, customers: 10, orders: 200, abundance: 100 });
  const idle = new Set<string>([CHANGED, LOST]);
  return { ...all, orders: all.orders.filter(({ items }) => !items.some((i) => idle.has(i.sku))) };
}

/** By hand, past the fence: what no feed has seen. */
function damage({ env }: System): void {
  const database = new Database(sqliteFile(env['INVENTORY_DATABASE_URL'] ?? ''));
  try {
    database.exec(`BEGIN IMMEDIATE;
      UPDATE fig_clock SET applying = 1;
      UPDATE stock_levels SET on_hand = on_hand + 5 WHERE sku = '${CHANGED}';
      DELETE FROM stock_levels WHERE sku = '${LOST}';
      INSERT INTO stock_holds (sku, reserved) VALUES ('${INVENTED}', 3);
      UPDATE fig_clock SET applying = 0;
      COMMIT`);
  } finally {
    database.close();
  }
}

function differences({ output }: CommandResult): string[] {
  const { rows } = output as { readonly rows: readonly Difference[] };
  return rows.map(({ pair, kind, key }) => `${pair} ${JSON.stringify(key)} ${kind}`).sort();
}

describe('rows of the copy that somebody damaged by hand, while orders go on', () => {
  it('are what a comparison reports, no others, and are mended by it', async () => {
    const report = await rehearse({
      dataset: dataset(),
      concurrency: 4,
      seed: 5,
      progress: createProgress(process.stderr),
      onStart: showOnFailure,
      async drive({ operator, system, traffic, liveWrites }) {
        traffic.allow(0.1);
        expect(await operator('backfill', 'inventory')).toMatchObject({ code: 0 });
        await traffic.reached(0.1);
        const before = await operator('reconcile', 'inventory');
        expect(before).toMatchObject({ code: 0, output: { clean: true, rows: [] } });

        const damagedAt = Date.now();
        damage(system);
        const found = await operator('reconcile', 'inventory');
        expect(found.code).toBe(1);
        expect(differences(found)).toEqual([
          `stock_holds ["${INVENTED}"] extra`,
          `stock_levels ["${CHANGED}"] different`,
          `stock_levels ["${LOST}"] missing`,
        ]);

        // Nobody is sent on to read from the copy, or to switch to it.
        const { output } = await operator('status', 'inventory');
        expect(output).toMatchObject({ next_steps: [{ command: 'fig reconcile inventory' }] });

        expect(await operator('reconcile', 'inventory', '--repair')).toMatchObject({ code: 0 });
        expect(await countMismatches(operator, 'inventory')).toBe(0);
        expect(liveWrites(damagedAt, Date.now())).toBeGreaterThan(0);
        traffic.allow(1);
        return [];
      },
    });
    expect(report.orders.confirmed).toBeGreaterThan(50);
    expect(report.invariants.filter(({ ok }) => !ok)).toEqual([]);
  }, 600_000);
});
