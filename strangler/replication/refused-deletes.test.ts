import { describe, expect, it } from '@jest/globals';
import { dialectsOfRun, eventually } from '../../tests/support/index.ts';
import { refuse } from '../mapping/index.ts';
import { aggregatesOf, retryParked } from './parked/index.ts';
import { handOver } from '../../tests/strangler/support/hand-over.ts';
import { withMoved, withMoving } from '../../tests/strangler/support/moving.ts';
import { oneTable } from '../../tests/strangler/support/one-table.ts';

const stock = oneTable({
  capability: 'stock',
  table: 'item',
  columns: ['name'],
  references: { 'line(item)': refuse },
});
const MOVED = 'CREATE TABLE item (k INT PRIMARY KEY, name TEXT)';
const LINE = 'CREATE TABLE line (k INT PRIMARY KEY, item INT REFERENCES item (k))';
const INDEX = 'CREATE INDEX line_item ON line (item)';

describe.each(dialectsOfRun)(
  'a delete across the border that the mapping refuses, on %s',
  (dialect) => {
    it('is parked with the number of children, and applied once they are gone', () =>
      withMoved(
        {
          mapping: stock,
          legacy: [dialect, `${MOVED}; ${LINE}; ${INDEX}`],
          extracted: [dialect, MOVED],
        },
        async ({ replication, sessions, databases }) => {
          await sessions.legacy.run(`INSERT INTO item VALUES (1, 'a'), (2, 'b'), (3, 'c')`);
          await sessions.legacy.run(`INSERT INTO line VALUES (1, 1), (2, 1), (3, NULL)`);
          await replication.barrier();
          await handOver(replication, 'legacy');
          await sessions.extracted.run('DELETE FROM item WHERE k < 3');
          await sessions.extracted.run(`UPDATE item SET name = 'd' WHERE k = 3`);
          // Parked, so that neither a barrier nor a handover passes it.
          await eventually(() => expect(replication.barrier()).rejects.toThrow('parked'));
          expect(await databases.legacy.parked.list()).toMatchObject([
            {
              op: 'delete',
              key: { k: 1 },
              reason:
                '2 rows of line refer by line(item) to the row of item that was deleted, and the mapping refuses that; ' +
                'see to them, and try it again',
            },
          ]);
          const items = (): Promise<unknown[]> =>
            sessions.legacy.rows('SELECT k, name FROM item ORDER BY k');
          expect(await items()).toEqual([
            { k: 1, name: 'a' },
            { k: 3, name: 'd' },
          ]);
          expect((await replication.reconcile()).rows).toMatchObject([{ kind: 'extra', key: [1] }]);

          await sessions.legacy.run('DELETE FROM line WHERE item = 1');
          const { extracted, legacy } = databases;
          await retryParked(extracted, aggregatesOf(await legacy.parked.list()));
          await eventually(() => replication.barrier());
          expect(await items()).toEqual([{ k: 3, name: 'd' }]);
          expect(await replication.reconcile()).toMatchObject({ clean: true, dangling: [] });
        },
      ));

    it('is refused by the check where children can not be found by an index, or no such key is there', () =>
      withMoving(
        { mapping: stock, legacy: [dialect, `${MOVED}; ${LINE}`], extracted: [dialect, MOVED] },
        async ({ check, sessions }) => {
          const messages = async (): Promise<string> =>
            (await check()).findings.map(({ message }) => message).join('\n');
          expect(await messages()).toMatch(
            /line\(item\) refers to item .+CREATE INDEX \.\.\. ON line \(item\), or give 'line\(item\)' a reason in place of refuse$/,
          );
          await sessions.legacy.run(INDEX);
          expect(await messages()).toBe('');
          await sessions.legacy.run('DROP TABLE line');
          expect(await messages()).toMatch(/no foreign key line\(item\) refers to item/);
        },
      ));
  },
);
