import type Database from 'better-sqlite3';
import { translateByHand } from '../data/index.ts';
import type { Shape, Values } from '../data/index.ts';

const PAGE = 1_000;

interface Table {
  readonly page: string;
  readonly insert: string;
}

const TABLES: Readonly<Record<Shape, Table>> = {
  plain: {
    page: 'SELECT id, name, amount, at FROM source.rows_in WHERE id > ? ORDER BY id LIMIT ?',
    insert: 'INSERT INTO rows_in VALUES (?, ?, ?, ?)',
  },
  real: {
    page: `SELECT PAY_NO, ORD_NO, AMT_TXT, STAT_CD, CRT_TS FROM source.PAY_TXN
      WHERE PAY_NO > ? ORDER BY PAY_NO LIMIT ?`,
    insert: 'INSERT INTO payments VALUES (?, ?, ?, ?, ?)',
  },
};

/**
 * Copies what is attached as `source` as a script written for it does: pages in the order
 * of the key, a transaction for each, every row in the script's hands. It needs the same of a machine
 * as ours does, and knows nothing of writes meanwhile, of a restart, or of rows that do not fit.
 */
export function copyByScript(db: Database.Database, shape: Shape): void {
  const { page, insert } = TABLES[shape];
  const translate = translateByHand[shape];
  const read = db.prepare(page).raw();
  const write = db.prepare(insert);
  const writeAll = db.transaction((rows: readonly Values[]) => {
    for (const row of rows) write.run(...translate(row));
  });
  let last: string | number = shape === 'plain' ? 0 : '';
  for (;;) {
    const rows = read.all(last, PAGE) as Values[];
    writeAll(rows);
    if (rows.length < PAGE) return;
    last = rows.at(-1)?.[0] ?? last;
  }
}
