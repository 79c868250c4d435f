import { describe, expect, it } from '@jest/globals';
import { eventually, inSoak } from '../support/index.ts';
import { oneTable } from './support/one-table.ts';
import { withMoving } from './support/moving.ts';
import type { Dialect } from '../../chassis/index.ts';

/** PostgreSQL takes 1,600 at the most, SQLite 2,000 unless it was built for more. */
const WIDTH = inSoak(1_500, 600);
const COLUMNS = Array.from({ length: WIDTH }, (_, index) => `c${index}`);
const wide = oneTable({ capability: 'wide', table: 'wide', columns: COLUMNS });
const schema = `CREATE TABLE wide (k INT PRIMARY KEY, ${COLUMNS.map((c) => `${c} TEXT`).join(', ')})`;

const MOVED = "INSERT INTO wide (k, c0, c599) VALUES (2, 'b', NULL)";

describe('a table with hundreds of columns', () => {
  it.each<Dialect>(inSoak(['sqlite', 'postgres'], ['sqlite']))(
    'is copied, followed and compared on %s',
    (dialect) =>
      withMoving(
        { mapping: wide, legacy: [dialect, schema], extracted: [dialect, schema] },
        async ({ check, replication, sessions }) => {
          await sessions.legacy.run(`INSERT INTO wide (k, c0, c599) VALUES (1, 'a', 'z')`);
          expect((await check()).findings).toEqual([]);
          await replication.install();
          await replication.start();
          await replication.backfill();
          await sessions.legacy.run(MOVED);
          await sessions.legacy.run(`UPDATE wide SET c300 = 'x' WHERE k = 1`);
          await eventually(async () =>
            expect(
              await sessions.extracted.rows('SELECT k, c0, c300, c599 FROM wide ORDER BY k'),
            ).toEqual([
              { k: 1, c0: 'a', c300: 'x', c599: 'z' },
              { k: 2, c0: 'b', c300: null, c599: null },
            ]),
          );
          expect(await replication.reconcile()).toMatchObject({ clean: true });
        },
      ),
  );
});
