import { defineMapping, enumeration, rename, timestamp } from '../../strangler/mapping/index.ts';
import { keyPair } from '../key-pair.ts';

/** How the monolith's inventory becomes the inventory service's, and back. */
export const inventoryMapping = defineMapping({
  capability: 'inventory',
  pairs: [
    // INV_STOCK is split in two: its rows live and die with what is on hand.
    {
      name: 'stock_levels',
      legacy: { table: 'INV_STOCK' },
      extracted: { table: 'stock_levels' },
      key: [rename('SKU_CD', 'sku')],
      columns: [rename('QTY_OH', 'on_hand'), timestamp('UPD_TS', 'updated_at')],
    },
    {
      name: 'stock_holds',
      legacy: { table: 'INV_STOCK', resetTo: { QTY_RSV: 0 } },
      extracted: { table: 'stock_holds' },
      key: [rename('SKU_CD', 'sku')],
      columns: [rename('QTY_RSV', 'reserved')],
    },
    {
      name: 'reservations',
      legacy: { table: 'INV_RSV' },
      extracted: { table: 'reservations' },
      key: [rename('RSV_NO', 'id')],
      columns: [
        rename('ORD_NO', 'order_id'),
        enumeration('STAT_CD', 'status', { A: 'active', C: 'committed', R: 'released' }),
        timestamp('CRT_TS', 'created_at'),
        timestamp('UPD_TS', 'updated_at'),
      ],
    },
    {
      name: 'reservation_items',
      partOf: { pair: 'reservations', by: ['RSV_NO'] },
      legacy: { table: 'INV_RSV_LIN' },
      extracted: { table: 'reservation_items' },
      key: [rename('RSV_NO', 'reservation_id'), rename('SKU_CD', 'sku')],
      columns: [rename('QTY', 'quantity')],
    },
    {
      name: 'stock_adjustments',
      legacy: { table: 'INV_ADJ' },
      extracted: { table: 'stock_adjustments' },
      key: [rename('ADJ_NO', 'id')],
      columns: [
        rename('SKU_CD', 'sku'),
        rename('DLT_QTY', 'delta'),
        rename('RSN_TXT', 'reason'),
        timestamp('CRT_TS', 'created_at'),
      ],
    },
    keyPair('INV_IDEM'),
  ],
});

/** What must be the same on both sides before ownership moves, whatever the rows say one by one. */
export const inventoryInvariants = [
  {
    name: 'units on hand, units reserved',
    legacy: 'SELECT sum("QTY_OH"), sum("QTY_RSV") FROM "INV_STOCK"',
    extracted:
      'SELECT (SELECT sum(on_hand) FROM stock_levels), (SELECT sum(reserved) FROM stock_holds)',
  },
];
