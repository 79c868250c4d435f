import { describe, expect, it } from '@jest/globals';
import { createLog } from '../../../chassis/index.ts';
import { inSoak } from '../../../tests/support/index.ts';
import { Replication } from '../replication.ts';
import {
  decimalToMinor,
  defineMapping,
  enumeration,
  rename,
  timestamp,
} from '../../mapping/index.ts';
import { openSides } from '../../sides/sides.ts';
import { withSides } from '../../../tests/strangler/support/sides.ts';
import type { Prompt } from '../../../tests/strangler/support/sides.ts';

const ROWS = inSoak(1_000_000, 100_000);
const LONG_MS = 120_000;

const mapping = defineMapping({
  capability: 'large',
  pairs: [
    {
      name: 'payments',
      legacy: { table: 'PAY' },
      extracted: { table: 'payments' },
      key: [rename('NO', 'id')],
      columns: [
        decimalToMinor('AMT', 'amount', 2),
        enumeration('STAT', 'status', { P: 'pending', S: 'settled' }),
        timestamp('CRT', 'created_at'),
      ],
    },
    {
      name: 'refunds',
      legacy: { table: 'RFND' },
      extracted: { table: 'refunds' },
      key: [rename('NO', 'id')],
      columns: [rename('PAY_NO', 'payment_id')],
    },
  ],
});

const schema = {
  legacy: `CREATE TABLE PAY (NO INTEGER PRIMARY KEY, AMT TEXT NOT NULL, STAT TEXT NOT NULL, CRT TEXT NOT NULL);
    CREATE TABLE RFND (NO INTEGER PRIMARY KEY, PAY_NO INTEGER NOT NULL);`,
  extracted: `CREATE TABLE payments (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL, status TEXT NOT NULL,
      created_at INTEGER NOT NULL);
    CREATE TABLE refunds (id INTEGER PRIMARY KEY, payment_id INTEGER NOT NULL);`,
};

const FILL = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
  INSERT INTO PAY SELECT i, i || '.50', iif(i % 2, 'P', 'S'), '2026-01-01 00:00:00.000' FROM n`;

const sums = (prompt: Prompt, sql: string): unknown => prompt.prepare(sql).raw().get();

describe(`tables with ${ROWS} rows, and with none`, () => {
  it(
    'are copied, followed and compared',
    () =>
      withSides(async ({ urls, legacy, extracted }) => {
        legacy.exec(FILL);
        const databases = openSides(mapping, urls);
        const replication = new Replication({
          mapping,
          databases,
          log: createLog('test', 'silent'),
        });
        try {
          await replication.install();
          await replication.start();
          await replication.backfill();
          expect((await replication.status()).backfill).toMatchObject({
            rows: ROWS,
            complete: true,
          });
          // One transaction, larger than any slice.
          legacy.exec(
            `UPDATE PAY SET STAT = 'S' WHERE NO % 20 = 1; DELETE FROM PAY WHERE NO % 50 = 3;`,
          );
          await replication.barrier(LONG_MS);
          const report = await replication.reconcile();
          expect(report).toMatchObject({ clean: true, rows: [] });
          expect(report.pairs.map(({ rows }) => rows)).toEqual([ROWS - ROWS / 50, 0]);
          expect(
            sums(extracted, `SELECT count(*), sum(amount), sum(status = 'settled') FROM payments`),
          ).toEqual(
            sums(
              legacy,
              `SELECT count(*), sum(CAST(replace(AMT, '.', '') AS INTEGER)), sum(STAT = 'S') FROM PAY`,
            ),
          );
        } finally {
          await replication.stop();
        }
      }, schema),
    LONG_MS,
  );
});
