import {
  constant,
  copyOf,
  decimalToMinor,
  defineMapping,
  derived,
  enumeration,
  prefixed,
  same,
  timestamp,
} from '../../../strangler/mapping/index.ts';

/**
 * A mapping with one of everything, for the engine's own tests: a table split in two, a table
 * joined from two, entries told apart by key, composite keys, codes, money and times.
 */
export const shop = defineMapping({
  capability: 'shop',
  pairs: [
    {
      name: 'levels',
      legacy: { table: 'STOCK' },
      extracted: { table: 'levels' },
      key: [same('SKU', 'sku')],
      columns: [same('QTY', 'on_hand'), same('NOTE', 'note')],
    },
    {
      name: 'holds',
      legacy: { table: 'STOCK', resetTo: { RSV: 0 } },
      extracted: { table: 'holds' },
      key: [same('SKU', 'sku')],
      columns: [same('RSV', 'reserved')],
    },
    {
      name: 'lines',
      legacy: { table: 'LINES' },
      extracted: { table: 'lines' },
      key: [same('DOC', 'doc'), same('NO', 'no')],
      columns: [same('SLUG', 'slug'), same('DATA', 'data')],
    },
    {
      name: 'payments',
      legacy: { table: 'PAY' },
      extracted: { table: 'payments' },
      key: [same('PAY_NO', 'id')],
      columns: [decimalToMinor('AMT', 'amount', 2), timestamp('CRT', 'created_at')],
    },
    {
      name: 'settlements',
      partOf: { pair: 'payments', by: ['PAY_NO'] },
      legacy: {
        table: 'PAY',
        where: { STAT: ['S', 'D'] },
        resetTo: { STAT: 'P', UPD: copyOf('CRT') },
      },
      extracted: { table: 'entries' },
      key: [same('PAY_NO', 'payment_id'), constant('extracted', 'entry_id', 'settlement')],
      columns: [
        enumeration('STAT', 'kind', { S: 'captured', D: 'declined' }),
        derived('extracted', decimalToMinor('AMT', 'amount', 2), 'payments has it'),
        timestamp('UPD', 'at'),
      ],
    },
    {
      name: 'refunds',
      partOf: { pair: 'payments', by: ['PAY_NO'] },
      legacy: { table: 'RFND' },
      extracted: { table: 'entries' },
      key: [prefixed('RFND_NO', 'entry_id', 'refund:')],
      columns: [
        same('PAY_NO', 'payment_id'),
        decimalToMinor('AMT', 'amount', 2),
        timestamp('CRT', 'at'),
        constant('extracted', 'kind', 'refund_requested'),
      ],
    },
    {
      name: 'refunded',
      partOf: { pair: 'payments', by: ['PAY_NO'] },
      legacy: {
        table: 'RFND',
        where: { STAT: ['S'] },
        resetTo: { STAT: 'P', UPD: copyOf('CRT') },
      },
      extracted: { table: 'entries' },
      key: [prefixed('RFND_NO', 'entry_id', 'refunded:')],
      columns: [
        constant('legacy', 'STAT', 'S'),
        timestamp('UPD', 'at'),
        constant('extracted', 'kind', 'refunded'),
        derived('extracted', same('PAY_NO', 'payment_id'), 'refunds has it'),
        derived('extracted', decimalToMinor('AMT', 'amount', 2), 'refunds has it'),
      ],
    },
  ],
});

/** Both sides' schemas, before anything of Fig is installed. */
export const shopSchema = {
  legacy: `
    CREATE TABLE STOCK (SKU TEXT PRIMARY KEY, QTY INTEGER NOT NULL CHECK (QTY >= 0),
      RSV INTEGER NOT NULL DEFAULT 0 CHECK (RSV <= QTY), NOTE TEXT);
    CREATE TABLE LINES (DOC TEXT NOT NULL, NO INTEGER NOT NULL, SLUG TEXT UNIQUE, DATA,
      PRIMARY KEY (DOC, NO));
    CREATE TABLE PAY (PAY_NO TEXT PRIMARY KEY, AMT TEXT NOT NULL, STAT TEXT NOT NULL,
      CRT TEXT NOT NULL, UPD TEXT NOT NULL);
    CREATE TABLE RFND (RFND_NO TEXT PRIMARY KEY, PAY_NO TEXT NOT NULL, AMT TEXT NOT NULL,
      STAT TEXT NOT NULL, CRT TEXT NOT NULL, UPD TEXT NOT NULL);`,
  extracted: `
    CREATE TABLE levels (sku TEXT PRIMARY KEY, on_hand INTEGER NOT NULL, note TEXT);
    CREATE TABLE holds (sku TEXT PRIMARY KEY, reserved INTEGER NOT NULL);
    CREATE TABLE lines (doc TEXT NOT NULL, no INTEGER NOT NULL, slug TEXT UNIQUE, data,
      PRIMARY KEY (doc, no));
    CREATE TABLE payments (id TEXT PRIMARY KEY, amount INTEGER NOT NULL, created_at INTEGER NOT NULL);
    CREATE TABLE entries (payment_id TEXT NOT NULL, entry_id TEXT NOT NULL, kind TEXT NOT NULL,
      amount INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (payment_id, entry_id));
    CREATE INDEX entries_by_entry ON entries (entry_id);`,
} as const;
