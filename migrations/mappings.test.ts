import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { checkMapping } from '../strangler/mapping/index.ts';
import type { Mapping, Row } from '../strangler/mapping/index.ts';
import { moveRows } from '../tests/support/move-rows.ts';
import { inventoryMapping } from './inventory/mapping.ts';
import { paymentMapping } from './payment/mapping.ts';

const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
const count = fc.nat(1_000_000_000);
const time = fc
  .date({ min: new Date('1970-01-01'), max: new Date('2199-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, -1).replace('T', ' '));
const money = fc
  .maxSafeInteger()
  .map((minor) => String(Math.abs(minor)).padStart(3, '0'))
  .map((digits) => `${digits.slice(0, -2)}.${digits.slice(-2)}`);
const keyRow = fc.record({
  IDEM_KEY: id,
  REQ_HASH: id,
  STATE_CD: fc.constantFrom('I', 'D'),
  ATT_ID: id,
  LEASE_TS: fc.option(count),
  RES_ID: fc.option(id),
  HTTP_STAT: fc.option(fc.integer({ min: 200, max: 599 })),
  RESP_TXT: fc.option(fc.json()),
  CRT_TS: time,
});

const tables: readonly [Mapping, string, fc.Arbitrary<Row>][] = [
  [
    inventoryMapping,
    'INV_STOCK',
    fc.record({ SKU_CD: id, QTY_OH: count, QTY_RSV: count, UPD_TS: time }),
  ],
  [
    inventoryMapping,
    'INV_RSV',
    fc.record({
      RSV_NO: id,
      ORD_NO: id,
      STAT_CD: fc.constantFrom('A', 'C', 'R'),
      CRT_TS: time,
      UPD_TS: time,
    }),
  ],
  [inventoryMapping, 'INV_RSV_LIN', fc.record({ RSV_NO: id, SKU_CD: id, QTY: count })],
  [
    inventoryMapping,
    'INV_ADJ',
    fc.record({
      ADJ_NO: id,
      SKU_CD: id,
      DLT_QTY: fc.integer(),
      RSN_TXT: fc.string(),
      CRT_TS: time,
    }),
  ],
  [inventoryMapping, 'INV_IDEM', keyRow],
  [
    paymentMapping,
    'PAY_TXN',
    fc
      .record({
        PAY_NO: id,
        ORD_NO: id,
        CUST_NO: id,
        AMT_TXT: money,
        CURR_CD: fc.constantFrom('USD', 'EUR', 'GBP'),
        METH_CD: fc.constantFrom('card_ok', 'card_slow'),
        STAT_CD: fc.constantFrom('P', 'S', 'D'),
        CRT_TS: time,
        UPD_TS: time,
      })
      .map((row) => (row.STAT_CD === 'P' ? { ...row, UPD_TS: row.CRT_TS } : row)),
  ],
  [
    paymentMapping,
    'PAY_RFND',
    fc
      .record({
        RFND_NO: id,
        PAY_NO: id,
        CUST_NO: id,
        AMT_TXT: money,
        STAT_CD: fc.constantFrom('P', 'S'),
        CRT_TS: time,
        UPD_TS: time,
      })
      .map((row) => (row.STAT_CD === 'P' ? { ...row, UPD_TS: row.CRT_TS } : row)),
  ],
  [paymentMapping, 'PAY_IDEM', fc.tuple(keyRow, id).map(([row, CUST_NO]) => ({ ...row, CUST_NO }))],
];

describe.each([inventoryMapping, paymentMapping])('the mapping of $capability', (mapping) => {
  it('can be used', () => {
    expect(checkMapping(mapping)).toEqual([]);
  });
});

describe.each(tables)('a row', (mapping, table, rows) => {
  it(`of ${table} comes back as it went`, () => {
    fc.assert(
      fc.property(rows, (row) => {
        const there = moveRows(mapping, 'legacy', { [table]: [row] });
        expect(moveRows(mapping, 'extracted', there)[table]).toEqual([row]);
      }),
    );
  });
});
