import Database from 'better-sqlite3';
import { closeSync, fsyncSync, openSync } from 'node:fs';
import {
  decimalToMinor,
  defineMapping,
  enumeration,
  rename,
  same,
  timestamp,
} from '../../strangler/index.ts';

/** Rows of one shape on both sides: what a tool that knows no mapping can be compared with. */
export const plainMapping = defineMapping({
  capability: 'plain',
  pairs: [
    {
      name: 'rows',
      legacy: { table: 'rows_in' },
      extracted: { table: 'rows_in' },
      key: [same('id', 'id')],
      columns: [same('name', 'name'), same('amount', 'amount'), same('at', 'at')],
    },
  ],
});

/** Names, codes, money and times that differ on the two sides. */
export const realMapping = defineMapping({
  capability: 'real',
  pairs: [
    {
      name: 'payments',
      legacy: { table: 'PAY_TXN' },
      extracted: { table: 'payments' },
      key: [rename('PAY_NO', 'id')],
      columns: [
        rename('ORD_NO', 'order_id'),
        decimalToMinor('AMT_TXT', 'amount', 2),
        enumeration('STAT_CD', 'status', { P: 'pending', S: 'settled', D: 'declined' }),
        timestamp('CRT_TS', 'created_at'),
      ],
    },
  ],
});

const PLAIN = `CREATE TABLE rows_in (id INTEGER PRIMARY KEY, name TEXT NOT NULL,
  amount INTEGER NOT NULL, at INTEGER NOT NULL)`;

/** Both sides' tables, before anything is installed. */
export const schemas = {
  plain: { legacy: PLAIN, extracted: PLAIN },
  real: {
    legacy: `CREATE TABLE PAY_TXN (PAY_NO TEXT PRIMARY KEY, ORD_NO TEXT NOT NULL,
      AMT_TXT TEXT NOT NULL, STAT_CD TEXT NOT NULL, CRT_TS TEXT NOT NULL)`,
    extracted: `CREATE TABLE payments (id TEXT PRIMARY KEY, order_id TEXT NOT NULL,
      amount INTEGER NOT NULL, status TEXT NOT NULL, created_at INTEGER NOT NULL)`,
  },
} as const;

export type Shape = keyof typeof schemas;

const NUMBERS = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)`;
const TIME = `1700000000000 + i * 1000`;

const FILL = {
  plain: {
    legacy: `INSERT INTO rows_in ${NUMBERS} SELECT i, 'row ' || i, i * 7, ${TIME} FROM n`,
    extracted: `INSERT INTO rows_in ${NUMBERS} SELECT i, 'row ' || i, i * 7, ${TIME} FROM n`,
  },
  real: {
    legacy: `INSERT INTO PAY_TXN ${NUMBERS} SELECT printf('pay_%08d', i), 'ord_' || i,
      printf('%d.%02d', i, i % 100), substr('PSD', 1 + i % 3, 1),
      strftime('%Y-%m-%d %H:%M:%f', (${TIME}) / 1000.0, 'unixepoch') FROM n`,
    extracted: `INSERT INTO payments ${NUMBERS} SELECT printf('pay_%08d', i), 'ord_' || i,
      i * 100 + i % 100, CASE i % 3 WHEN 0 THEN 'pending' WHEN 1 THEN 'settled'
      ELSE 'declined' END, ${TIME} FROM n`,
  },
} as const;

/** Makes a side's table. */
export function makeTable(file: string, shape: Shape, side: 'legacy' | 'extracted'): void {
  withFile(file, (db) => {
    db.pragma('journal_mode = WAL');
    db.exec(schemas[shape][side]);
  });
}

/**
 * Writes rows straight into the table; also what capture would note, where it is installed. They are on
 * the disk afterwards, as if they had been there for long: else whoever syncs next waits for them.
 */
export function fill(file: string, shape: Shape, side: 'legacy' | 'extracted', rows: number): void {
  withFile(file, (db) => {
    db.pragma('synchronous = OFF');
    db.prepare(FILL[shape][side]).run(rows);
    db.pragma('wal_checkpoint(TRUNCATE)');
  });
  const descriptor = openSync(file, 'r+');
  fsyncSync(descriptor);
  closeSync(descriptor);
}

/** Runs `work` on a file that is closed again afterwards. */
export function withFile<T>(file: string, work: (db: Database.Database) => T): T {
  const db = new Database(file);
  try {
    return work(db);
  } finally {
    db.close();
  }
}
