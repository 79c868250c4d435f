import { describe, expect, it } from '@jest/globals';
import { inSoak } from '../../tests/support/index.ts';
import {
  defineMapping,
  enumeration,
  equalBy,
  jsonDocument,
  numericWorth,
  same,
  transform,
  unsignedZero,
} from '../mapping/index.ts';
import type { Codec, Mapping, SqlValue } from '../mapping/index.ts';
import { handOver } from '../../tests/strangler/support/hand-over.ts';
import { withMoved, withMoving } from '../../tests/strangler/support/moving.ts';
import type { MovingSides } from '../../tests/strangler/support/moving.ts';
import type { Dialect } from '../../chassis/index.ts';
import type { SideName } from '../../routing/side.ts';

function notes(column: (name: string) => Codec = (name) => same(name, name)): Mapping {
  return defineMapping({
    capability: 'notes',
    pairs: [
      {
        name: 'notes',
        legacy: { table: 'note' },
        extracted: { table: 'note' },
        key: [same('k', 'k')],
        columns: [column('v')],
      },
    ],
  });
}

/** Where a dialect matters less than the values; its `.soak.test.ts` takes both. */
const DIALECTS = inSoak<readonly Dialect[]>(['sqlite', 'postgres'], ['sqlite']);

const TEXT = 'CREATE TABLE note (k TEXT PRIMARY KEY, v TEXT)';
/** 'Müller' as an old Latin-1 program writes it. */
const LATIN = `CAST(x'4DFC6C6C6572' AS TEXT)`;
const UNIQUE_TEXT = 'CREATE TABLE note (k TEXT UNIQUE, v TEXT)';

function reasonsOf({ databases }: MovingSides): Promise<(string | null)[]> {
  return databases.extracted.parked.list().then((list) => list.map(({ reason }) => reason));
}

describe.each(DIALECTS)('text that is no UTF-8, on its way to %s', (to) => {
  const moving = { mapping: notes(), legacy: ['sqlite', TEXT], extracted: [to, TEXT] } as const;

  it('is parked by the feed, never made something else, and is a difference until it is mended', () =>
    withMoved(moving, async (sides) => {
      const { replication, sessions } = sides;
      await sessions.legacy.run(`INSERT INTO note VALUES ('a', ${LATIN}), ('b', 'M\uFFFDller')`);
      await expect(replication.barrier()).rejects.toThrow('(1)');
      expect(await sessions.extracted.rows('SELECT * FROM note')).toEqual([
        { k: 'b', v: 'M\uFFFDller' },
      ]);
      expect(await reasonsOf(sides)).toEqual([expect.stringContaining('UTF-8')]);
      expect(await replication.reconcile()).toMatchObject({
        clean: false,
        pairs: [{ missing: 1 }],
      });
      await sessions.legacy.run(`UPDATE note SET v = 'Müller' WHERE k = 'a'`);
      await replication.repair();
      await replication.barrier();
      expect(await replication.reconcile()).toMatchObject({ clean: true });
    }));

  it('is refused by the check, with the row', () =>
    withMoving(moving, async ({ sessions, check }) => {
      await sessions.legacy.run(`INSERT INTO note VALUES ('a', ${LATIN})`);
      expect(await check()).toMatchObject({
        ok: false,
        findings: [{ code: 'does_not_fit', counterexample: `k 'a'` }],
      });
    }));

  it('is parked by the backfill, key or not, and two such keys stay two rows', () =>
    withMoving(moving, async (sides) => {
      const { replication, sessions } = sides;
      await sessions.legacy.run(`INSERT INTO note VALUES ('a', '1'), (CAST(x'66FC' AS TEXT), 'x'),
        (CAST(x'66FD' AS TEXT), 'y'), ('z', ${LATIN})`);
      await replication.install();
      await replication.start();
      await replication.backfill();
      expect(await sessions.extracted.rows('SELECT * FROM note')).toHaveLength(1);
      expect(await reasonsOf(sides)).toHaveLength(3);
      expect((await replication.reconcile()).pairs).toMatchObject([{ different: 2, missing: 1 }]);
      await sessions.legacy.run(`UPDATE note SET k = hex(k) WHERE k NOT IN ('a', 'z');
        UPDATE note SET v = 'now' WHERE k = 'z'`);
      await replication.repair();
      await replication.barrier();
      expect(await sessions.extracted.rows('SELECT k FROM note ORDER BY k')).toEqual(
        await sessions.legacy.rows('SELECT k FROM note ORDER BY k'),
      );
      expect(await replication.reconcile()).toMatchObject({ clean: true });
    }));
});

it('text that is no UTF-8 outlives a handover and back, at the side that has it', () =>
  withMoved(
    { mapping: notes(), legacy: ['sqlite', TEXT], extracted: ['sqlite', TEXT] },
    async ({ replication, sessions }) => {
      await sessions.legacy.run(`INSERT INTO note VALUES ('a', 'fine'), ('b', 'fine')`);
      await replication.barrier();
      await sessions.legacy.run(`BEGIN; UPDATE fig_clock SET applying = 1;
        UPDATE note SET v = ${LATIN} WHERE k = 'a'; UPDATE fig_clock SET applying = 0; COMMIT`);
      expect(await replication.reconcile()).toMatchObject({
        rows: [{ key: ['a'], kind: 'different' }],
      });
      await handOver(replication, 'legacy');
      await sessions.extracted.run(`UPDATE note SET v = 'new' WHERE k = 'b'`);
      await replication.barrier();
      expect(await sessions.legacy.rows('SELECT hex(v) AS v FROM note ORDER BY k')).toEqual([
        { v: '4DFC6C6C6572' },
        { v: Buffer.from('new').toString('hex').toUpperCase() },
      ]);
    },
  ));

describe('a row without a key', () => {
  it.each(DIALECTS)('is named by whoever meets it, from %s', (from) =>
    withMoving(
      { mapping: notes(), legacy: [from, UNIQUE_TEXT], extracted: ['sqlite', TEXT] },
      async (sides) => {
        const { replication, sessions, check } = sides;
        await sessions.legacy.run(`INSERT INTO note VALUES (NULL, '1'), (NULL, '2'), ('c', '3')`);
        expect((await check()).findings).toMatchObject([{ code: 'null_key' }]);
        await replication.install();
        await replication.start();
        await replication.backfill();
        await sessions.legacy.run(`INSERT INTO note VALUES (NULL, '4')`);
        await expect(replication.barrier()).rejects.toThrow('parked');
        expect((await reasonsOf(sides))[0]).toContain('key k is NULL');
        expect(await replication.reconcile()).toMatchObject({
          clean: false,
          pairs: [{ rows: 1, different: 3, missing: 0 }],
          rows: [{ key: [null], reason: expect.stringContaining('is NULL') }, {}, {}],
        });
        await sessions.legacy.run(`UPDATE note SET k = v WHERE k IS NULL AND v = '1'`);
        await sessions.legacy.run(`DELETE FROM note WHERE k IS NULL`);
        await replication.barrier();
        expect(await replication.reconcile()).toMatchObject({ clean: true, pairs: [{ rows: 2 }] });
      },
    ),
  );
});

describe('what PostgreSQL can not hold', () => {
  it('a NUL in a key is parked and named, by copy and by feed', () =>
    withMoving(
      { mapping: notes(), legacy: ['sqlite', TEXT], extracted: ['postgres', TEXT] },
      async (sides) => {
        const { replication, sessions } = sides;
        const bad = `INSERT INTO note SELECT 'k' || char(0) || value, 'x'
          FROM json_each('[1,2,3]')`;
        await sessions.legacy.run(`INSERT INTO note VALUES ('a', '1'), ('z', '2'); ${bad}`);
        await replication.install();
        await replication.start();
        await replication.backfill();
        await sessions.legacy.run(`INSERT INTO note VALUES ('q' || char(0), '3'), ('r', '4')`);
        await expect(replication.barrier()).rejects.toThrow('(4)');
        expect(await sessions.extracted.rows('SELECT k FROM note ORDER BY k')).toEqual([
          { k: 'a' },
          { k: 'r' },
          { k: 'z' },
        ]);
        expect(await replication.reconcile()).toMatchObject({ pairs: [{ rows: 7, missing: 4 }] });
        await sessions.legacy.run(`DELETE FROM note WHERE k NOT IN ('a', 'r', 'z')`);
        await replication.repair();
        await replication.barrier();
        expect(await replication.reconcile()).toMatchObject({ clean: true });
      },
    ));

  it.each(inSoak(['LATIN1', 'SQL_ASCII'], ['LATIN1']))(
    'a euro sign does not stop the feed of a %s database',
    (encoding) =>
      withMoving(
        { mapping: notes(), legacy: ['sqlite', TEXT], extracted: ['postgres', TEXT, { encoding }] },
        async (sides) => {
          const { replication, sessions } = sides;
          await sessions.legacy.run(`INSERT INTO note VALUES ('€', '1'), ('a', '5 €'), ('b', 'é')`);
          await replication.install();
          await replication.start();
          await replication.backfill();
          await sessions.legacy.run(
            `INSERT INTO note VALUES ('£€', '1'), ('c', '6 €'), ('d', 'ü')`,
          );
          await replication.barrier().catch(() => undefined);
          const there = (await sessions.extracted.rows('SELECT k FROM note')).length;
          const parked = (await sides.databases.extracted.parked.list()).length;
          expect([there, parked]).toEqual(encoding === 'LATIN1' ? [2, 4] : [6, 0]);
          expect((await replication.reconcile()).pairs).toMatchObject([
            { rows: 6, missing: parked },
          ]);
        },
      ),
  );
});

describe.each(DIALECTS)('bytes of a SQL_ASCII database on their way to %s', (to) => {
  const moving = {
    mapping: notes(),
    legacy: ['postgres', TEXT, { encoding: 'SQL_ASCII' }],
    extracted: [to, TEXT],
  } as const;
  const write = (rows: string): string =>
    `SET client_encoding TO SQL_ASCII; INSERT INTO note VALUES ${rows}; RESET client_encoding`;

  it('are parked by the feed where they are no UTF-8, and all else arrives', () =>
    withMoved(moving, async (sides) => {
      const { replication, sessions } = sides;
      await sessions.legacy.run(
        write(`('a', E'caf\\xe9'), ('b', E'\\xc3\\xa9'), (E'\\xff', 'key')`),
      );
      await sessions.legacy.run(write(`('later', '')`));
      await expect(replication.barrier()).rejects.toThrow('(2)');
      expect(await sessions.extracted.rows('SELECT k, v FROM note ORDER BY k')).toEqual([
        { k: 'b', v: 'é' },
        { k: 'later', v: '' },
      ]);
      expect(await reasonsOf(sides)).toEqual([
        expect.stringContaining('UTF-8'),
        expect.stringContaining('UTF-8'),
      ]);
      expect((await replication.reconcile()).pairs).toMatchObject([{ missing: 1, different: 1 }]);
      await sessions.legacy.run(`UPDATE note SET v = 'cafe' WHERE k = 'a'`);
      await replication.repair();
      await replication.barrier().catch(() => undefined);
      expect(await reasonsOf(sides)).toHaveLength(1);
    }));

  it('are named by copy and check', () =>
    withMoving(moving, async (sides) => {
      const { replication, sessions, check } = sides;
      await sessions.legacy.run(write(`('a', E'caf\\xe9'), ('b', 'x')`));
      expect(await check()).toMatchObject({
        ok: false,
        findings: [{ code: 'does_not_fit', counterexample: `k 'a'` }],
      });
      await replication.install();
      await replication.start();
      await replication.backfill();
      expect(await sessions.extracted.rows('SELECT k FROM note')).toEqual([{ k: 'b' }]);
      expect(await reasonsOf(sides)).toEqual([expect.stringContaining('UTF-8')]);
    }));
});

describe('a check of databases in LATIN1', () => {
  const latin = ['postgres', TEXT, { encoding: 'LATIN1' }] as const;
  const utf8 = ['postgres', TEXT] as const;

  it('finds nothing wrong between two of them', () =>
    withMoving(
      { mapping: notes(), legacy: latin, extracted: latin },
      async ({ sessions, check }) => {
        await sessions.legacy.run(`INSERT INTO note VALUES ('é', 'ü')`);
        expect(await check()).toMatchObject({ findings: [], rows: { legacy: 1 } });
      },
    ));

  it.each(inSoak<readonly SideName[]>(['legacy', 'extracted'], ['extracted']))(
    'names a text that only the other side of %s can hold, by types and by rows',
    (side) => {
      const other = side === 'legacy' ? 'extracted' : 'legacy';
      const sides = { [side]: latin, [other]: utf8 } as Record<typeof side, typeof utf8>;
      return withMoving({ mapping: notes(), ...sides }, async ({ sessions, check }) => {
        const does_not_fit = { code: 'does_not_fit', side: other, count: 1 };
        const emoji = { ...does_not_fit, counterexample: "'é\u{1F600}'" };
        expect((await check()).findings).toMatchObject([
          { ...emoji, column: 'note.k' },
          { ...emoji, column: 'note.v' },
        ]);
        await sessions[other].run(`INSERT INTO note VALUES ('a', '5 €')`);
        expect((await check()).findings.map(({ code, count }) => [code, count])).toEqual([
          ['does_not_fit', 1],
          ['does_not_fit', 2],
        ]);
      });
    },
  );
});

describe('a value that changes on its way is one or the other', () => {
  const REAL = 'CREATE TABLE note (k TEXT PRIMARY KEY, v DOUBLE PRECISION)';

  it('-0 arrives as it is', () =>
    withMoved(
      { mapping: notes(), legacy: ['postgres', REAL], extracted: ['postgres', REAL] },
      async ({ replication, sessions }) => {
        await sessions.legacy.run(`INSERT INTO note VALUES ('a', '-0'), ('b', 0)`);
        await replication.barrier();
        const found = `SELECT k, v::text AS v FROM note ORDER BY k`;
        const there = [
          { k: 'a', v: '-0' },
          { k: 'b', v: '0' },
        ];
        expect(await sessions.extracted.rows(found)).toEqual(there);
        await replication.backfill({ restart: true });
        expect(await sessions.extracted.rows(found)).toEqual(there);
        expect(await replication.reconcile()).toMatchObject({ clean: true });
        await sessions.extracted.run(`BEGIN; SET LOCAL fig.applying = 'on';
          UPDATE note SET v = 0 WHERE k = 'a'; COMMIT`);
        expect(await replication.reconcile()).toMatchObject({ rows: [{ key: ['a'] }] });
      },
    ));

  it('-0 is parked where only 0 can be kept, unless the mapping says that these are equal', async () => {
    const sides = { legacy: ['postgres', REAL], extracted: ['sqlite', REAL] } as const;
    await withMoved(
      { mapping: notes(), ...sides },
      async ({ replication, sessions, databases }) => {
        await sessions.legacy.run(`INSERT INTO note VALUES ('a', '-0')`);
        await expect(replication.barrier()).rejects.toThrow('parked');
        expect((await databases.extracted.parked.list())[0]?.reason).toContain('-0');
      },
    );
    const declared = notes((column) => equalBy(same(column, column), unsignedZero));
    await withMoved({ mapping: declared, ...sides }, async ({ replication, sessions, check }) => {
      await sessions.legacy.run(`INSERT INTO note VALUES ('a', '-0')`);
      await replication.barrier();
      expect(await sessions.extracted.rows('SELECT v FROM note')).toEqual([{ v: 0 }]);
      expect(await replication.reconcile()).toMatchObject({ clean: true });
      expect(await check()).toMatchObject({ ok: true });
    });
  });

  it('JSON that jsonb writes otherwise is a difference, unless the mapping says what is equal', async () => {
    const [JSON_TABLE, JSONB_TABLE] = ['JSON', 'JSONB'].map(
      (type) => `CREATE TABLE note (k TEXT PRIMARY KEY, v ${type})`,
    ) as [string, string];
    const sides = {
      legacy: ['postgres', JSON_TABLE],
      extracted: ['postgres', JSONB_TABLE],
    } as const;
    const rows = `INSERT INTO note VALUES ('dup', '{"a": 1, "a": 2}'), ('wide', '{ "b" : 1e2,"a":[] }'),
      ('same', '{"a": 1}'), ('big', '12345678901234567890.10')`;
    await withMoved({ mapping: notes(), ...sides }, async ({ replication, sessions }) => {
      await sessions.legacy.run(rows);
      await replication.barrier();
      const { rows: different } = await replication.reconcile();
      expect(different.map(({ key }) => key)).toEqual([['dup'], ['wide']]);
    });
    const declared = notes((column) => equalBy(same(column, column), jsonDocument));
    await withMoved({ mapping: declared, ...sides }, async ({ replication, sessions }) => {
      await sessions.legacy.run(rows);
      await replication.barrier();
      expect(await replication.reconcile()).toMatchObject({ clean: true });
      await sessions.extracted.run(`BEGIN; SET LOCAL fig.applying = 'on';
        UPDATE note SET v = '12345678901234567891.10' WHERE k = 'big'; COMMIT`);
      expect((await replication.reconcile()).rows).toMatchObject([{ key: ['big'] }]);
    });
  });
});

describe.each([
  ['uuid', `'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'`, `'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'`],
  ...inSoak([['name', `'${'n'.repeat(64)}'`, `'${'n'.repeat(63)}'`] as const], []),
] as const)('a text that a %s column keeps as another text', (type, changed, kept) => {
  const moving = {
    mapping: notes(),
    legacy: ['postgres', TEXT],
    extracted: ['postgres', `CREATE TABLE note (k TEXT PRIMARY KEY, v ${type})`],
  } as const;

  it('is parked by feed and copy, and others of its slice are not', () =>
    withMoved(moving, async (sides) => {
      const { replication, sessions } = sides;
      await sessions.legacy.run(`INSERT INTO note VALUES ('a', ${changed}), ('b', ${kept})`);
      await expect(replication.barrier()).rejects.toThrow('(1)');
      expect(await reasonsOf(sides)).toEqual([
        expect.stringContaining(`a ${type} would keep this as another text`),
      ]);
      await replication.backfill({ restart: true });
      expect(await sessions.extracted.rows('SELECT * FROM note')).toEqual([
        { k: 'b', v: kept.slice(1, -1) },
      ]);
    }));
});

it.each([
  ['uuid', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  ...inSoak([['name', 'N'.repeat(64), 'N'.repeat(63)] as const], []),
] as const)(
  'a text key that a %s cannot keep stays a difference, and rows after it are compared',
  (type, changed, kept) => {
    const table = 'CREATE TABLE note (k TEXT PRIMARY KEY, v TEXT)';
    const moving = {
      mapping: notes(),
      legacy: ['postgres', table],
      extracted: ['postgres', table.replace('k TEXT', `k ${type}`)],
    } as const;
    return withMoved(moving, async ({ replication, sessions }) => {
      await sessions.legacy
        .run(`INSERT INTO note SELECT gen_random_uuid()::text, 'v' FROM generate_series(1, 3000);
      INSERT INTO note VALUES ('${changed}', 'changed'), ('${kept}', 'kept')`);
      await expect(replication.barrier(20_000)).rejects.toThrow('(1)');
      expect(await sessions.extracted.rows(`SELECT v FROM note WHERE v <> 'v'`)).toEqual([
        { v: 'kept' },
      ]);
      expect(await replication.reconcile()).toMatchObject({
        pairs: [{ missing: 1, different: 0 }],
      });
    });
  },
);

it('a text that is no uuid at all stays a difference, too', () => {
  const table = 'CREATE TABLE note (k TEXT PRIMARY KEY, v TEXT)';
  const moving = {
    mapping: notes(),
    legacy: ['postgres', table],
    extracted: ['postgres', table.replace('k TEXT', 'k uuid')],
  } as const;
  return withMoved(moving, async ({ replication, sessions }) => {
    await sessions.legacy.run(`INSERT INTO note VALUES ('none', '')`);
    await expect(replication.barrier()).rejects.toThrow('(1)');
    expect(await replication.reconcile()).toMatchObject({ pairs: [{ missing: 1, different: 0 }] });
  });
});

describe('times that have no place in the usual form', () => {
  const TIMES = [
    '0044-03-15 00:00:00 BC',
    '12026-01-01 12:30:00.5',
    '294276-12-31 23:59:59.999999',
  ];
  const ALL = [
    ...TIMES,
    '4714-11-24 00:00:00 BC',
    'infinity',
    '-infinity',
    '2026-01-31 09:30:00.000',
  ];
  const ofType = (type: string): string => `CREATE TABLE note (k TEXT PRIMARY KEY, v ${type})`;
  const values = (from: string): string =>
    ALL.map((time, nr) => `('${from}${nr}', '${time}')`).join(', ');

  it.each([
    ['postgres', 'timestamp', 'postgres', 'timestamptz'],
    ['sqlite', 'text', 'postgres', 'timestamptz'],
    ...inSoak(
      [
        ['postgres', 'timestamptz', 'postgres', 'timestamp'] as const,
        ['postgres', 'timestamptz', 'postgres', 'timestamptz'] as const,
        ['postgres', 'timestamptz', 'sqlite', 'text'] as const,
        ['postgres', 'timestamp', 'sqlite', 'text'] as const,
      ],
      [],
    ),
  ] as const)('are compared by what they say, from %s %s to %s %s', (from, left, to, right) =>
    withMoving(
      { mapping: notes(), legacy: [from, ofType(left)], extracted: [to, ofType(right)] },
      async ({ sessions, replication }) => {
        await sessions.legacy.run(`SET timezone = 'UTC'`).catch(() => undefined);
        await sessions.extracted.run(`SET timezone = 'UTC'`).catch(() => undefined);
        await sessions.legacy.run(`INSERT INTO note VALUES ${values('a')}`);
        await replication.install();
        await replication.start();
        await replication.backfill();
        await sessions.legacy.run(`INSERT INTO note VALUES ${values('b')}`);
        await replication.barrier();
        expect((await replication.reconcile()).rows).toEqual([]);
        await handOver(replication, 'legacy');
        await sessions.extracted.run('UPDATE note SET v = v');
        await replication.barrier();
        expect(await replication.reconcile()).toMatchObject({ clean: true });
      },
    ),
  );
});

/** How SQLite, and whoever divides, tells a real number from an integer. */
const KINDS = `SELECT k, typeof(k) AS kt, v, typeof(v) AS vt, v / 2 AS half FROM note ORDER BY k`;

describe.each([
  ['a column of any type', 'CREATE TABLE note (k ANY PRIMARY KEY, v ANY) STRICT, WITHOUT ROWID'],
  ['a column without a type', 'CREATE TABLE note (k PRIMARY KEY, v)'],
])('a whole real number stays one in %s', (_name, schema) => {
  const moving = {
    mapping: notes(),
    legacy: ['sqlite', schema],
    extracted: ['sqlite', schema],
  } as const;
  const rows = `INSERT INTO note VALUES (1, 1), (2.0, 2.0), (3, 9007199254740992),
    (4, 9007199254740992.0), (9007199254740993, 0.0)`;

  async function expectSame({ sessions, replication }: MovingSides): Promise<void> {
    await replication.barrier();
    expect(await sessions.extracted.rows(KINDS)).toEqual(await sessions.legacy.rows(KINDS));
    expect(await replication.reconcile()).toMatchObject({ clean: true });
  }

  it('by copy, by feed, and back', () =>
    withMoving(moving, async (sides) => {
      const { sessions, replication, check } = sides;
      await sessions.legacy.run(rows);
      expect(await check()).toMatchObject({ ok: true });
      await replication.install();
      await replication.start();
      await replication.backfill();
      await expectSame(sides);
      await sessions.legacy.run(`INSERT INTO note VALUES ('d', 3.0), ('e', 4), (5.0, 5.5);
        UPDATE note SET v = 8.0 WHERE k = 1`);
      await expectSame(sides);
      await handOver(replication, 'legacy');
      await sessions.extracted.run(
        `UPDATE note SET v = v WHERE k = 2; INSERT INTO note VALUES ('f', 6.0)`,
      );
      await expectSame(sides);
    }));

  it('in a key, too, which SQLite finds by the one as by the other', () =>
    withMoved(moving, async (sides) => {
      const { sessions } = sides;
      await sessions.legacy.run(
        `${rows}; INSERT INTO note VALUES (9007199254740992.0, 'x'), (7.0, 'y')`,
      );
      await expectSame(sides);
      await sessions.legacy.run(`UPDATE note SET k = 9007199254740992 WHERE v = 'x';
        UPDATE note SET k = 7 WHERE v = 'y'; UPDATE note SET k = 1.0 WHERE k = 1`);
      await expectSame(sides);
    }));

  it('and is a difference where it is none any more, which a repair mends and a new copy, too', () =>
    withMoved(moving, async (sides) => {
      const { sessions, replication } = sides;
      await sessions.legacy.run(rows);
      await replication.barrier();
      const damage = `BEGIN; UPDATE fig_clock SET applying = 1;
        UPDATE note SET v = 2 WHERE k = 2; UPDATE note SET v = 1.0, k = 1.0 WHERE k = 1;
        UPDATE note SET v = 9007199254740992 WHERE k = 4; UPDATE fig_clock SET applying = 0; COMMIT`;
      await sessions.extracted.run(damage);
      const { rows: found } = await replication.reconcile();
      expect(found.map(({ key, columns }) => [key, columns])).toEqual([
        [[1], ['k', 'v']],
        [[2], ['v']],
        [[4], ['v']],
      ]);
      await replication.repair();
      await expectSame(sides);
      await sessions.extracted.run(damage);
      await replication.backfill({ restart: true });
      await expectSame(sides);
    }));
});

/** What is told apart in SQLite alone, by a way that takes rows one by one. */
function codes(): Mapping {
  const asIs = (value: SqlValue): SqlValue => value;
  return defineMapping({
    capability: 'notes',
    pairs: [
      {
        name: 'notes',
        legacy: { table: 'note' },
        extracted: { table: 'note', triggers: { mine: 'it does nothing' } },
        key: [same('k', 'k')],
        columns: [
          same('v', 'v'),
          transform('n', 'n', { name: 'as is', forward: asIs, backward: asIs }),
          enumeration('c', 'c', { 1: 'one' }, { legacyNumbers: true }),
        ],
      },
    ],
  });
}

const PLAIN = 'CREATE TABLE note (k PRIMARY KEY, v, n INTEGER, c)';
/** Makes the writer go without an upsert. */
const WITH_TRIGGER = `${PLAIN};
  CREATE TRIGGER mine AFTER UPDATE ON note BEGIN SELECT 1; END`;

it('a whole real number stays one where rows go one by one, and is no code', () =>
  withMoving(
    { mapping: codes(), legacy: ['sqlite', PLAIN], extracted: ['sqlite', WITH_TRIGGER] },
    async (sides) => {
      const { sessions, replication } = sides;
      await sessions.legacy.run(`INSERT INTO note VALUES
        (1, 1.0, 1, 1), (2.0, 2, 1, 1), (3, 3.0, 1, 1.0)`);
      await replication.install();
      await replication.start();
      await replication.backfill();
      await sessions.legacy.run(`UPDATE note SET k = 1.0 WHERE k = 1;
        UPDATE note SET v = 2.0 WHERE k = 2; INSERT INTO note VALUES (4, 4.0, 1, 1.0)`);
      await expect(replication.barrier()).rejects.toThrow('(2)');
      expect(await reasonsOf(sides)).toEqual([
        expect.stringContaining('1.0'),
        expect.stringContaining('1.0'),
      ]);
      expect(await sessions.extracted.rows(KINDS)).toEqual(
        await sessions.legacy.rows(KINDS.replace('FROM note', 'FROM note WHERE k < 3')),
      );
      expect((await replication.reconcile()).pairs).toMatchObject([{ missing: 0, different: 2 }]);
    },
  ));

describe.each([
  ['sqlite', 'REAL'],
  ...inSoak([['postgres', 'DOUBLE PRECISION'] as const], []),
] as const)('numbers of a column of %s that makes all of them real', (dialect, type) => {
  const real = `CREATE TABLE note (k TEXT PRIMARY KEY, v ${type})`;
  const free = 'CREATE TABLE note (k TEXT PRIMARY KEY, v)';

  it('are real on the other side as well, by copy and by feed', () =>
    withMoving(
      { mapping: notes(), legacy: [dialect, real], extracted: ['sqlite', free] },
      async ({ sessions, replication }) => {
        await sessions.legacy.run(`INSERT INTO note VALUES ('a', 3), ('b', 0.5)`);
        await replication.install();
        await replication.start();
        await replication.backfill();
        await sessions.legacy.run(`INSERT INTO note VALUES ('c', 4), ('d', 5.25)`);
        await replication.barrier();
        expect(await sessions.extracted.rows('SELECT typeof(v) AS v FROM note')).toEqual(
          Array.from({ length: 4 }, () => ({ v: 'real' })),
        );
        expect(await replication.reconcile()).toMatchObject({ clean: true });
      },
    ));

  it('are equal to the integers of a column that makes all of them integers', () =>
    withMoved(
      {
        mapping: notes(),
        legacy: [dialect, real],
        extracted: ['sqlite', 'CREATE TABLE note (k TEXT PRIMARY KEY, v NUMERIC)'],
      },
      async ({ sessions, replication }) => {
        await sessions.legacy.run(`INSERT INTO note VALUES ('a', 3), ('b', 0.5)`);
        await replication.barrier();
        expect(await replication.reconcile()).toMatchObject({ clean: true });
      },
    ));
});

it('an integer that comes back as a real number is refused by the check', () =>
  withMoving(
    {
      mapping: notes(),
      legacy: ['sqlite', 'CREATE TABLE note (k TEXT PRIMARY KEY, v BLOB)'],
      extracted: ['sqlite', 'CREATE TABLE note (k TEXT PRIMARY KEY, v REAL)'],
    },
    async ({ sessions, check }) => {
      await sessions.legacy.run(`INSERT INTO note VALUES ('a', 7.0), ('b', 7)`);
      expect((await check()).findings).toMatchObject([
        { code: 'loses_value', counterexample: `k 'b'`, count: 1 },
      ]);
    },
  ));

it('a whole real number in a feed that an earlier build wrote arrives as one', () => {
  const free = ['sqlite', 'CREATE TABLE note (k TEXT PRIMARY KEY, v)'] as const;
  return withMoving(
    { mapping: notes(), legacy: free, extracted: free },
    async ({ sessions, replication }) => {
      await replication.install();
      await sessions.legacy.run(`INSERT INTO note VALUES ('a', 3.0);
        UPDATE fig_feed_notes SET image = replace(image, ',"free":true', '')`);
      expect(
        await sessions.legacy.rows('SELECT image FROM fig_feed_notes WHERE tbl <> ?', ''),
      ).toEqual([{ image: '{"k":"a","v":{"$real":"3.0"}}' }]);
      await replication.start();
      await replication.barrier();
      expect(await sessions.extracted.rows(KINDS)).toEqual(await sessions.legacy.rows(KINDS));
      expect(await replication.reconcile()).toMatchObject({ clean: true });
    },
  );
});

it('a real number and an integer are equal where the mapping says so', () => {
  const free = 'CREATE TABLE note (k TEXT PRIMARY KEY, v BLOB)';
  const real = 'CREATE TABLE note (k TEXT PRIMARY KEY, v REAL)';
  const declared = notes((column) => equalBy(same(column, column), numericWorth));
  return withMoved(
    { mapping: declared, legacy: ['sqlite', free], extracted: ['sqlite', real] },
    async ({ sessions, replication, check }) => {
      await sessions.legacy.run(`INSERT INTO note VALUES ('a', 7.0), ('b', 7)`);
      await replication.barrier();
      expect(await check()).toMatchObject({ ok: true });
      expect(await replication.reconcile()).toMatchObject({ clean: true });
    },
  );
});
