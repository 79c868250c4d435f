import { describe, expect, it } from '@jest/globals';
import { inSoak } from '../../../tests/support/index.ts';
import { aggregatesOf, retryParked } from '../parked/index.ts';
import { withMoved, withMoving } from '../../../tests/strangler/support/moving.ts';
import { things } from '../../../tests/strangler/support/things.ts';

const LATE = 'CREATE TABLE thing (k INT PRIMARY KEY, v TEXT NOT NULL UNIQUE DEFERRABLE)';
const AT_COMMIT = LATE.replace('DEFERRABLE', 'DEFERRABLE INITIALLY DEFERRED');
const PLAIN = `CREATE TABLE thing (k INT PRIMARY KEY, v TEXT NOT NULL UNIQUE)`;

describe.each([
  ['a deferrable key', ['postgres', LATE]],
  ...inSoak([['one that is asked at the commit', ['postgres', AT_COMMIT]] as const], []),
] as const)('values that rotate under a deferrable key arrive at %s', (_, extracted) => {
  it.each([
    [
      'in one statement',
      [`UPDATE thing SET v = CASE v WHEN 'a' THEN 'b' WHEN 'b' THEN 'c' ELSE 'a' END WHERE k < 4`],
    ],
    [
      'one by one, with a row that goes and one that comes',
      [
        'SET CONSTRAINTS ALL DEFERRED',
        `UPDATE thing SET v = 'b' WHERE k = 1`,
        `INSERT INTO thing VALUES (9, 'd')`,
        `UPDATE thing SET v = 'a' WHERE k = 2`,
        `DELETE FROM thing WHERE k = 4`,
      ],
    ],
  ])('%s', (__, statements) =>
    withMoved(
      { mapping: things, legacy: ['postgres', LATE], extracted },
      async ({ replication, sessions }) => {
        await sessions.legacy.run(
          `INSERT INTO thing VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')`,
        );
        await replication.barrier();
        await sessions.legacy.run(`BEGIN; ${statements.join('; ')}; COMMIT`);
        await replication.barrier();
        expect((await replication.status()).parked).toBe(0);
        expect(await replication.reconcile()).toMatchObject({ clean: true });
      },
    ),
  );
});

const POSITIVE = LATE.replace('(k INT', '(k INT CHECK (k > 0)');

describe('values that rotate beside a row that has to be parked', () => {
  const ROTATE = `UPDATE thing SET v = CASE v WHEN 'a' THEN 'b' WHEN 'b' THEN 'c' ELSE 'a' END WHERE k < 4 AND k > 0`;
  const POISON = `INSERT INTO thing VALUES (-1, 'x')`;

  it.each([
    [
      'amid them in their transaction',
      `BEGIN; SET CONSTRAINTS ALL DEFERRED; UPDATE thing SET v = 'b' WHERE k = 1; ${POISON};
       UPDATE thing SET v = 'c' WHERE k = 2; UPDATE thing SET v = 'a' WHERE k = 3; COMMIT`,
    ],
    ['on either side', `BEGIN; ${POISON}; ${ROTATE}; INSERT INTO thing VALUES (-2, 'y'); COMMIT`],
    ...inSoak(
      [
        ['before them in their transaction', `BEGIN; ${POISON}; ${ROTATE}; COMMIT`],
        ['after them in their transaction', `BEGIN; ${ROTATE}; ${POISON}; COMMIT`],
        ['in a transaction before', `${POISON}; ${ROTATE}`],
        ['in a transaction after', `${ROTATE}; ${POISON}`],
      ],
      [],
    ),
  ])('arrive: %s', (_, statements) =>
    withMoved(
      { mapping: things, legacy: ['postgres', LATE], extracted: ['postgres', POSITIVE] },
      async ({ replication, sessions, databases }) => {
        await sessions.legacy.run(`INSERT INTO thing VALUES (1, 'a'), (2, 'b'), (3, 'c')`);
        await replication.barrier();
        await replication.halt();
        for (const each of statements.startsWith('BEGIN') ? [statements] : statements.split('; ')) {
          await sessions.legacy.run(each);
        }
        // All of it is one slice, whatever would have been read meanwhile.
        const after = await databases.extracted.flush();
        const slice = await databases.legacy.feed.read(after, 1_000);
        const { epoch } = await databases.extracted.store.fence();
        await databases.extracted.applySlice(epoch, slice);
        const parked = await databases.extracted.parked.list();
        expect(parked.map(({ key }) => key['k']).filter((k) => Number(k) > 0)).toEqual([]);
        expect(parked.length).toBeGreaterThan(0);
        const there = await sessions.extracted.rows('SELECT k, v FROM thing ORDER BY k');
        expect(there).toEqual([
          { k: 1, v: 'b' },
          { k: 2, v: 'c' },
          { k: 3, v: 'a' },
        ]);
      },
    ),
  );
});

it('lets values that rotate be parked together, and retried together', () =>
  withMoved(
    { mapping: things, legacy: ['postgres', LATE], extracted: ['postgres', LATE] },
    async ({ replication, sessions: { legacy, extracted }, databases }) => {
      await legacy.run(`INSERT INTO thing VALUES (1, 'a'), (2, 'b'), (3, 'c')`);
      await replication.barrier();
      await replication.halt();
      const { epoch } = await databases.extracted.store.fence();
      const parked = async (): Promise<readonly unknown[]> => {
        const slice = await databases.legacy.feed.read(await databases.extracted.flush(), 1_000);
        await databases.extracted.applySlice(epoch, slice);
        return (await databases.extracted.parked.list()).map(({ key }) => key['k']);
      };
      await extracted.run(`ALTER TABLE thing ADD CONSTRAINT no_b CHECK (v <> 'b') NOT VALID`);
      await legacy.run(
        `UPDATE thing SET v = CASE v WHEN 'a' THEN 'b' WHEN 'b' THEN 'c' ELSE 'a' END`,
      );
      // Without the first of them, the others do not fit.
      expect(await parked()).toEqual([1, 2, 3]);
      await extracted.run('ALTER TABLE thing DROP CONSTRAINT no_b');
      const all = aggregatesOf(await databases.extracted.parked.list());
      expect(await retryParked(databases.legacy, all)).toEqual(expect.any(Number));
      expect(await parked()).toEqual([]);
      expect(await extracted.rows('SELECT k, v FROM thing ORDER BY k')).toEqual(
        await legacy.rows('SELECT k, v FROM thing ORDER BY k'),
      );
    },
  ));

describe.each([
  ['PostgreSQL', 'postgres'],
  ['SQLite', 'sqlite'],
] as const)('a plain key on %s', (_, dialect) => {
  it('is refused beside a deferrable one, since values that rotate would be parked there', () =>
    withMoving(
      { mapping: things, legacy: ['postgres', LATE], extracted: [dialect, PLAIN] },
      async ({ check }) => {
        const { findings } = await check();
        expect(findings.filter(({ code }) => code !== 'does_not_fit')).toEqual([
          expect.objectContaining({
            code: 'unique_deferrable',
            side: 'extracted',
            message: expect.stringMatching(/legacy thing: the unique key \(v\) is DEFERRABLE/),
          }),
        ]);
      },
    ));
});
