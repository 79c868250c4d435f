import { describe, expect, it } from '@jest/globals';
import { withMoving } from '../../../tests/strangler/support/moving.ts';
import { things } from '../../../tests/strangler/support/things.ts';

const LEGACY = `CREATE TABLE thing (k INTEGER PRIMARY KEY, v TEXT)`;
/** Every tenth row is one that `v` says nothing good of. */
const FILL = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250)
  INSERT INTO thing SELECT i, i FROM n`;

describe.each([
  ['a CHECK', `CREATE TABLE thing (k INT PRIMARY KEY, v TEXT CHECK (v <> 'bad'))`, ['bad'], 1],
  [
    'a domain',
    `CREATE DOMAIN good AS TEXT CHECK (VALUE <> 'bad'); CREATE TABLE thing (k INT PRIMARY KEY, v good)`,
    ['bad'],
    1,
  ],
  [
    'an exclusion',
    `CREATE TABLE thing (k INT PRIMARY KEY, v TEXT, EXCLUDE USING btree (lower(v) WITH =))`,
    ['bad', 'BAD'],
    1,
  ],
  [
    'an index over an expression',
    `CREATE TABLE thing (k INT PRIMARY KEY, v TEXT); CREATE UNIQUE INDEX ON thing (lower(v))`,
    ['bad', 'BAD'],
    1,
  ],
  [
    'an index over some of the rows',
    `CREATE TABLE thing (k INT PRIMARY KEY, v TEXT); CREATE UNIQUE INDEX ON thing (v) WHERE v LIKE 'b%'`,
    ['bad', 'bad'],
    1,
  ],
  ['a length', `CREATE TABLE thing (k INT PRIMARY KEY, v VARCHAR(3))`, ['much'], 1],
  ['a type', `CREATE TABLE thing (k INT PRIMARY KEY, v NUMERIC)`, ['bad'], 1],
  ['NOT NULL', `CREATE TABLE thing (k INT PRIMARY KEY, v TEXT NOT NULL)`, [null], 1],
  [
    'an index of at most so many bytes',
    `CREATE TABLE thing (k INT PRIMARY KEY, v TEXT); CREATE INDEX ON thing (v)`,
    ['random'],
    1,
  ],
] as const)('a copy that meets %s', (_, extracted, values, parked) => {
  it('parks the rows in question, copies the rest, and says which', () =>
    withMoving(
      { mapping: things, legacy: ['sqlite', LEGACY], extracted: ['postgres', extracted] },
      async ({ replication, sessions, databases }) => {
        await sessions.legacy.run(FILL);
        for (const [index, value] of values.entries()) {
          const text = value === 'random' ? 'hex(randomblob(20000))' : value && `'${value}'`;
          await sessions.legacy.run(`UPDATE thing SET v = ${text} WHERE k = ${120 + index}`);
        }
        await replication.install();
        await replication.start();
        await replication.backfill();
        const status = await replication.status();
        expect([status.parked, status.backfill.complete]).toEqual([parked, true]);
        expect(await sessions.extracted.rows('SELECT k FROM thing')).toHaveLength(250 - parked);
        const [first] = await databases.extracted.parked.list();
        expect(first?.key['k']).toBe(119 + values.length);
        expect(first?.reason).not.toBe('');
        await sessions.legacy.run(`UPDATE thing SET v = k`);
        await replication.repair();
        await replication.barrier();
        expect(await replication.reconcile()).toMatchObject({
          clean: true,
          pairs: [{ rows: 250 }],
        });
      },
    ));
});

it('bits arrive in their whole length', () =>
  withMoving(
    {
      mapping: things,
      legacy: ['sqlite', LEGACY],
      extracted: ['postgres', `CREATE TABLE thing (k INT PRIMARY KEY, v BIT(3))`],
    },
    async ({ replication, sessions }) => {
      await sessions.legacy.run(`INSERT INTO thing VALUES (1, '101'), (2, '1010'), (3, '011')`);
      await replication.install();
      await replication.start();
      await replication.backfill();
      expect((await replication.status()).parked).toBe(1);
      expect(await sessions.extracted.rows('SELECT v::text FROM thing ORDER BY k')).toEqual([
        { v: '101' },
        { v: '011' },
      ]);
    },
  ));

it('a copy that is short of rows in the end says so, and is not complete', () =>
  withMoving(
    {
      mapping: things,
      legacy: ['sqlite', LEGACY],
      extracted: ['postgres', 'CREATE TABLE thing (k INT PRIMARY KEY, v TEXT)'],
    },
    async ({ replication, sessions }) => {
      await sessions.legacy.run(`INSERT INTO thing VALUES (1, 'google'), (2, 'Google'), (3, 'x')`);
      await replication.install();
      // Added after everything was checked.
      await sessions.extracted.run(
        `CREATE COLLATION anycase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
         ALTER TABLE thing ALTER v TYPE TEXT COLLATE anycase, ADD CONSTRAINT late UNIQUE (v)`,
      );
      await replication.start();
      await expect(replication.backfill()).rejects.toThrow(
        '1 row of things went missing in the copy: extracted has fewer than legacy',
      );
      expect((await replication.status()).backfill.complete).toBe(false);
      await sessions.extracted.run('ALTER TABLE thing DROP CONSTRAINT late');
      await replication.backfill({ restart: true });
      expect((await replication.status()).backfill.complete).toBe(true);
      expect(await sessions.extracted.rows('SELECT k FROM thing')).toHaveLength(3);
    },
  ));
