import Database from 'better-sqlite3';
import { translateByHand } from '../data/index.ts';
import type { Files, Shape, Values } from '../data/index.ts';

interface Tables {
  readonly legacy: string;
  readonly extracted: string;
}

const TABLES: Readonly<Record<Shape, Tables>> = {
  plain: {
    legacy: 'SELECT id, name, amount, at FROM rows_in ORDER BY id',
    extracted: 'SELECT id, name, amount, at FROM rows_in ORDER BY id',
  },
  real: {
    legacy: 'SELECT PAY_NO, ORD_NO, AMT_TXT, STAT_CD, CRT_TS FROM PAY_TXN ORDER BY PAY_NO',
    extracted: 'SELECT id, order_id, amount, status, created_at FROM payments ORDER BY id',
  },
};

/**
 * Compares both sides as a script written for it does: both tables in the order of their
 * key, row by row. It knows nothing of writes meanwhile, and only tells whether all is equal.
 */
export function equalByScript({ legacy, extracted }: Files, shape: Shape): boolean {
  const tables = TABLES[shape];
  const translate = translateByHand[shape];
  const [one, other] = [legacy, extracted].map((file) => new Database(file, { readonly: true }));
  if (!one || !other) throw new Error('there are two sides');
  try {
    const rows = other.prepare(tables.extracted).raw().iterate() as IterableIterator<Values>;
    for (const row of one.prepare(tables.legacy).raw().iterate() as IterableIterator<Values>) {
      const [wanted, { value: found }] = [translate(row), rows.next()];
      if (!wanted.every((value, index) => value === (found as Values)[index])) return false;
    }
    return rows.next().done === true;
  } finally {
    one.close();
    other.close();
  }
}
