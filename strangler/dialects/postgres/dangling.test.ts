import { expect, it } from '@jest/globals';
import { defineMapping, same } from '../../mapping/index.ts';
import { handOver } from '../../../tests/strangler/support/hand-over.ts';
import { withMoved, withMoving } from '../../../tests/strangler/support/moving.ts';
import { oneTable } from '../../../tests/strangler/support/one-table.ts';
import { PostgresSideDatabase } from './side-database.ts';
import { newRole, urlAs } from '../../../tests/strangler/support/roles.ts';

const stock = oneTable({
  capability: 'stock',
  table: 'item',
  references: { 'line(item)': 'lines are history' },
});
const ITEM = 'CREATE TABLE item (k INT PRIMARY KEY)';

it('says that it can not tell whether rows dangle where our user may not look, and which right that takes', () =>
  withMoving(
    {
      mapping: stock,
      legacy: [
        'postgres',
        `${ITEM}; CREATE TABLE line (k INT PRIMARY KEY, item INT REFERENCES item (k));
         INSERT INTO item VALUES (1); INSERT INTO line VALUES (1, 1);
         SET session_replication_role = replica; DELETE FROM item; RESET session_replication_role`,
      ],
      extracted: ['postgres', ITEM],
    },
    async ({ urls, sessions: { legacy } }) => {
      const user = `fig_test_looker_${process.pid}`;
      await legacy.run(`${newRole(user)}; GRANT SELECT ON item TO ${user}`);
      const url = urlAs(urls.legacy, user);
      const side = new PostgresSideDatabase(url, stock, 'legacy');
      try {
        const [told = ''] = await side.checks.dangling();
        expect(told).toMatch(/^legacy: Fig can't tell whether rows of line refer by line\(item\)/);
        const [grant = ''] = /GRANT .+$/.exec(told) ?? [];
        expect(grant).toBe(`GRANT SELECT ON line TO ${user}`);
        await legacy.run(grant);
        expect(await side.checks.dangling()).toEqual([
          'legacy: 1 row of line refer by line(item) to rows of item that are gone',
        ]);
      } finally {
        await side.close();
        await legacy.run(`DROP OWNED BY ${user} CASCADE; DROP ROLE ${user}`);
      }
    },
  ));

it.each(['sqlite', 'postgres'] as const)(
  'finds rows of a table that moves whose foreign key only this side has, on %s',
  (dialect) => {
    const line = (references: string): string =>
      `CREATE TABLE line (k INT PRIMARY KEY, item INT ${references})`;
    const mapping = defineMapping({
      capability: 'stock',
      pairs: ['item', 'line'].map((table) => ({
        name: table,
        legacy: { table },
        extracted: { table },
        key: [same('k', 'k')],
        columns: table === 'line' ? [same('item', 'item')] : [],
      })),
    });
    return withMoved(
      {
        mapping,
        legacy: [dialect, `${ITEM}; ${line('REFERENCES item (k) ON DELETE CASCADE')}`],
        extracted: [dialect, `${ITEM}; ${line('')}`],
      },
      async ({ replication, sessions, databases }) => {
        await sessions.legacy.run('INSERT INTO item VALUES (1); INSERT INTO line VALUES (1, 1)');
        await replication.barrier();
        await handOver(replication, 'legacy');
        await sessions.extracted.run('DELETE FROM item');
        await replication.barrier();
        const found = 'legacy: 1 row of line refer by line(item) to rows of item that are gone';
        expect(await databases.legacy.checks.dangling()).toEqual([found]);
        expect(await replication.reconcile()).toMatchObject({ clean: true, dangling: [found] });
      },
    );
  },
);
