import { describe, expect, it } from '@jest/globals';
import { defineMapping, same } from '../mapping/index.ts';
import type { Mapping } from '../mapping/index.ts';
import { diagnose, examine } from '../doctor/index.ts';
import { handOver } from '../../tests/strangler/support/hand-over.ts';
import { withMoving } from '../../tests/strangler/support/moving.ts';

function stock(references: Readonly<Record<string, string>> = {}): Mapping {
  return defineMapping({
    capability: 'stock',
    pairs: ['item', 'lot'].map((table) => ({
      name: table,
      legacy: { table, references },
      extracted: { table },
      key: [same('k', 'k')],
      columns: table === 'lot' ? [same('item', 'item')] : [same('kind', 'kind')],
    })),
  });
}

const PLAIN = `CREATE TABLE item (k INT PRIMARY KEY, kind INT);
  CREATE TABLE lot (k INT PRIMARY KEY, item INT);`;
/** One foreign key within what moves, one out of it, two into it. */
const BORDER = `CREATE TABLE kind (k INT PRIMARY KEY);
  CREATE TABLE item (k INT PRIMARY KEY, kind INT REFERENCES kind (k) ON DELETE CASCADE);
  CREATE TABLE lot (k INT PRIMARY KEY, item INT REFERENCES item (k));
  CREATE TABLE line (k INT PRIMARY KEY, item INT REFERENCES item (k) ON UPDATE SET NULL);
  CREATE TABLE note (a INT, b INT REFERENCES lot (k))`;

describe.each(['sqlite', 'postgres'] as const)(
  'foreign keys across the border on %s',
  (dialect) => {
    const sides = { legacy: [dialect, BORDER], extracted: [dialect, PLAIN] } as const;

    it('are refused, each by name, with what they do and what can be done', () =>
      withMoving({ mapping: stock(), ...sides }, async ({ check, replication }) => {
        const { findings } = await check();
        expect(findings.map(({ code, side }) => [code, side])).toEqual([
          ['border_reference', 'legacy'],
          ['border_reference', 'legacy'],
          ['border_reference', 'legacy'],
        ]);
        const told = findings.map(({ message }) => message).join('\n');
        for (const part of [
          'item(kind) refers to kind (ON DELETE CASCADE, ON UPDATE NO ACTION)',
          'line(item) refers to item (ON DELETE NO ACTION, ON UPDATE SET NULL)',
          'note(b) refers to lot',
          `name 'note(b)' in references`,
        ]) {
          expect(told).toContain(part);
        }
        await expect(replication.install()).rejects.toThrow('border_reference');
      }));

    it('are taken where the mapping gives reasons', () =>
      withMoving(
        {
          mapping: stock({
            'item(kind)': 'kinds are never deleted',
            'line(item)': 'lines are history',
            'note(b)': 'notes may dangle',
          }),
          ...sides,
        },
        async ({ check }) => expect((await check()).findings).toEqual([]),
      ));

    it('are looked at by reconcile: rows whose parent was deleted over there are counted', () =>
      withMoving(
        {
          mapping: stock({
            'item(kind)': 'kinds are never deleted',
            'line(item)': 'lines are history',
            'note(b)': 'notes may dangle',
          }),
          ...sides,
        },
        async ({ replication, sessions, databases }) => {
          await sessions.legacy.run(`INSERT INTO kind VALUES (1)`);
          await sessions.legacy.run(`INSERT INTO item VALUES (1, 1), (2, 1)`);
          await sessions.legacy.run(`INSERT INTO line VALUES (1, 1), (2, 1), (3, 2), (4, NULL)`);
          await replication.install();
          await replication.start();
          await replication.backfill();
          expect(await replication.reconcile()).toMatchObject({ clean: true, dangling: [] });
          await handOver(replication, 'legacy');
          await sessions.extracted.run('DELETE FROM item WHERE k = 1');
          await replication.barrier();
          const dangling = [
            'legacy: 2 rows of line refer by line(item) to rows of item that are gone',
          ];
          expect(await replication.reconcile()).toMatchObject({ clean: true, dangling });
          const facts = await examine('stock', databases);
          expect(diagnose(facts, null)).toContainEqual(
            expect.objectContaining({ code: 'dangling_rows', level: 'notice', what: dangling[0] }),
          );
        },
      ));
  },
);
