import { expect, it } from '@jest/globals';
import { cascade } from '../../mapping/index.ts';
import { handOver } from '../../../tests/strangler/support/hand-over.ts';
import { withMoved, withMoving } from '../../../tests/strangler/support/moving.ts';
import { oneTable } from '../../../tests/strangler/support/one-table.ts';
import { PostgresInspector } from './inspector.ts';
import { newRole, urlAs } from '../../../tests/strangler/support/roles.ts';

const stock = oneTable({
  capability: 'stock',
  table: 'item',
  references: { 'line(item)': cascade },
});
const ITEM = 'CREATE TABLE item (k INT PRIMARY KEY)';
const LINE = 'CREATE TABLE line (k INT PRIMARY KEY, item INT REFERENCES item (k) ON DELETE';

it('names the rights that carrying out a cascade takes, and is content with them', () =>
  withMoving(
    {
      mapping: stock,
      legacy: ['postgres', `${ITEM}; ${LINE} CASCADE); CREATE INDEX line_item ON line (item)`],
      extracted: ['postgres', ITEM],
    },
    async ({ urls, sessions: { legacy } }) => {
      const user = `fig_test_carrier_${process.pid}`;
      await legacy.run(`${newRole(user)};
        GRANT SET ON PARAMETER session_replication_role TO ${user}`);
      const url = urlAs(urls.legacy, user);
      let grants: readonly string[] = [];
      const messages = async (): Promise<readonly string[]> => {
        const inspector = await PostgresInspector.open(url, stock, 'legacy');
        grants = inspector.grants();
        const problems = await inspector.problems();
        await inspector.close();
        const ours = problems.filter(({ code }) => code === 'border_reference');
        return ours.map(({ message }) => message);
      };
      expect(await messages()).toEqual([
        expect.stringContaining(
          `${user} lacks SELECT and UPDATE and DELETE on line; GRANT SELECT, UPDATE, DELETE ON line TO ${user}`,
        ),
      ]);
      for (const grant of grants) await legacy.run(grant);
      expect(await messages()).toEqual([]);
      await legacy.run(`DROP OWNED BY ${user} CASCADE; DROP ROLE ${user}`);
    },
  ));

it.each([
  [
    'some columns only lose their parent',
    `CREATE TABLE line (k INT PRIMARY KEY, item INT, FOREIGN KEY (item) REFERENCES item (k)
       ON DELETE SET NULL (item)); CREATE INDEX line_item ON line (item)`,
    'ON DELETE SET NULL of some columns leaves nothing to carry out',
  ],
  [
    'the children are not found by their name',
    `CREATE SCHEMA apart; CREATE TABLE apart.line (k INT PRIMARY KEY,
       item INT REFERENCES item (k) ON DELETE CASCADE); CREATE INDEX ON apart.line (item)`,
    'line is in a schema that is not searched first for its name',
  ],
])('refuses to carry out a cascade where %s', (_, tables, words) =>
  withMoving(
    { mapping: stock, legacy: ['postgres', `${ITEM}; ${tables}`], extracted: ['postgres', ITEM] },
    async ({ check }) =>
      expect((await check()).findings.map(({ message }) => message)).toEqual([
        expect.stringContaining(words),
      ]),
  ),
);

it('stops applying where a constraint that came later wants the children to stay', () =>
  withMoved(
    {
      mapping: stock,
      legacy: ['postgres', `${ITEM}; ${LINE} CASCADE); CREATE INDEX line_item ON line (item)`],
      extracted: ['postgres', ITEM],
    },
    async ({ replication, sessions: { legacy, extracted } }) => {
      await legacy.run('INSERT INTO item VALUES (1); INSERT INTO line VALUES (1, 1)');
      await replication.barrier();
      await handOver(replication, 'legacy');
      await legacy.run(`CREATE TABLE part (k INT PRIMARY KEY, line INT REFERENCES line (k));
        INSERT INTO part VALUES (1, 1)`);
      await extracted.run('DELETE FROM item');
      await expect(replication.barrier(1_000)).rejects.toThrow();
      expect(await legacy.rows('SELECT k FROM item')).toHaveLength(1);
      await legacy.run('DROP TABLE part');
      await replication.barrier();
      expect(await legacy.rows('SELECT k FROM line')).toEqual([]);
    },
  ));
