import { describe, expect, it } from '@jest/globals';
import { withMoved, withMoving } from '../testing/moving.ts';
import { things } from '../testing/things.ts';

const LATE = 'CREATE TABLE thing (k INT PRIMARY KEY, v TEXT NOT NULL UNIQUE DEFERRABLE)';
const AT_COMMIT = LATE.replace('DEFERRABLE', 'DEFERRABLE INITIALLY DEFERRED');
const PLAIN = `CREATE TABLE thing (k INT PRIMARY KEY, v TEXT NOT NULL UNIQUE)`;

describe.each([
  ['a deferrable key', ['postgres', LATE]],
  ['one that is asked at the commit', ['postgres', AT_COMMIT]],
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
      async ({ plane, sessions }) => {
        await sessions.legacy.run(
          `INSERT INTO thing VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')`,
        );
        await plane.barrier();
        await sessions.legacy.run(`BEGIN; ${statements.join('; ')}; COMMIT`);
        await plane.barrier();
        expect((await plane.status()).parked).toBe(0);
        expect(await plane.reconcile()).toMatchObject({ clean: true });
      },
    ),
  );
});

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
