import Database from 'better-sqlite3';
import { describe, expect, it } from '@jest/globals';
import type { System } from '../../system/index.ts';
import { createOperator } from '../../rehearsal/index.ts';
import { eventually } from '../support/index.ts';
import { sqliteFile } from '../../chassis/index.ts';

/** Runs a statement as somebody at a SQL prompt would. */
function byHand(url: string | undefined, sql: string): void {
  const database = new Database(sqliteFile(url ?? ''), { timeout: 5_000 });
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}

function value(url: string | undefined, sql: string): unknown {
  const database = new Database(sqliteFile(url ?? ''), { readonly: true });
  try {
    return database.prepare(sql).pluck().get();
  } finally {
    database.close();
  }
}

const LEGACY = `UPDATE INV_STOCK SET QTY_OH = QTY_OH + 7 WHERE SKU_CD = (SELECT min(SKU_CD) FROM INV_STOCK)`;
const EXTRACTED = `UPDATE stock_levels SET on_hand = on_hand + 5 WHERE sku = (SELECT min(sku) FROM stock_levels)`;
const LEGACY_STOCK = 'SELECT QTY_OH FROM INV_STOCK ORDER BY SKU_CD LIMIT 1';
const EXTRACTED_STOCK = 'SELECT on_hand FROM stock_levels ORDER BY sku LIMIT 1';

/** On a system that has moved nothing yet; leaves inventory with its service. */
export function changesByHand(started: () => System): void {
  describe('a row changed by hand in SQL', () => {
    it('appears on the other side, and is refused on the side that is not the owner', async () => {
      const system = started();
      const fig = createOperator(system.env);
      const { MONOLITH_DATABASE_URL: legacy, INVENTORY_DATABASE_URL: extracted } = system.env;
      expect(await fig('backfill', 'inventory')).toMatchObject({ code: 0 });
      const loaded = Number(value(legacy, LEGACY_STOCK));

      byHand(legacy, LEGACY);
      await eventually(() => value(extracted, EXTRACTED_STOCK) === loaded + 7);
      expect(() => byHand(extracted, EXTRACTED)).toThrow(/FENCED/);

      expect(await fig('reconcile', 'inventory')).toMatchObject({ code: 0 });
      expect(await fig('switch', 'inventory')).toMatchObject({ code: 0 });

      byHand(extracted, EXTRACTED);
      await eventually(() => value(legacy, LEGACY_STOCK) === loaded + 12);
      expect(() => byHand(legacy, LEGACY)).toThrow(/FENCED/);
      expect(value(legacy, LEGACY_STOCK)).toBe(loaded + 12);
    }, 60_000);
  });
}
