import { describe, expect, test } from '@jest/globals';
import type { Database } from '../../chassis/index.ts';
import { inventoryMapping } from '../../migrations/inventory/mapping.ts';
import { inventoryMigrations } from '../../migrations/inventory/index.ts';
import { monolithMigrations } from '../../migrations/monolith/index.ts';
import { dialectsOfRun, eventually, temporaryDatabase } from '../../tests/support/index.ts';
import { RowCopier } from './row-copier.ts';

const stock = (sku: string, units: number) => ({
  SKU_CD: sku,
  QTY_OH: units,
  QTY_RSV: 0,
  UPD_TS: '2026-01-02 03:04:05.678',
});
const unitsThere = async ({ read }: Database): Promise<unknown> =>
  read('stock_levels').orderBy('sku').pluck('on_hand');
const unitsHere = async ({ read }: Database): Promise<unknown> =>
  read('INV_STOCK').orderBy('SKU_CD').pluck('QTY_OH');

describe.each(dialectsOfRun)('rows that are copied without fences on %s', (dialect) => {
  test('arrive in both directions', async () => {
    const legacy = await temporaryDatabase(monolithMigrations, dialect);
    const extracted = await temporaryDatabase(inventoryMigrations, dialect);
    await legacy.transaction((trx) => trx('INV_STOCK').insert([stock('A', 10), stock('B', 20)]));
    const urls = { legacy: legacy.url, extracted: extracted.url };
    const copier = await RowCopier.start(inventoryMapping, urls, 20);
    const level = () => eventually(() => copier.idle());
    try {
      await level();
      expect(await unitsThere(extracted)).toEqual([10, 20]);
      await legacy.transaction((trx) =>
        trx('INV_STOCK').where({ SKU_CD: 'A' }).update({ QTY_OH: 11 }),
      );
      await level();
      expect(await unitsThere(extracted)).toEqual([11, 20]);
      await extracted.transaction((trx) =>
        trx('stock_levels').where({ sku: 'B' }).update({ on_hand: 21 }),
      );
      await level();
      expect(await unitsHere(legacy)).toEqual([11, 21]);
      expect(await copier.equal()).toBe(true);
    } finally {
      await copier.close();
      await legacy.close();
      await extracted.close();
    }
  });
});
