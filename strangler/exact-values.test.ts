import { describe, expect, it } from '@jest/globals';
import { defineMapping, equalBy, jsonDocument, same, unsignedZero } from './mapping/index.ts';
import type { Codec, Mapping } from './mapping/index.ts';
import { handOver } from './testing/hand-over.ts';
import { withMoved, withMoving } from './testing/moving.ts';
import type { MovingSides } from './testing/moving.ts';

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

const TEXT = 'CREATE TABLE note (k TEXT PRIMARY KEY, v TEXT)';
/** 'Müller' as an old Latin-1 program writes it. */
const LATIN = `CAST(x'4DFC6C6C6572' AS TEXT)`;
const UNIQUE_TEXT = 'CREATE TABLE note (k TEXT UNIQUE, v TEXT)';

function reasonsOf({ databases }: MovingSides): Promise<(string | null)[]> {
  return databases.extracted.parked.list().then((list) => list.map(({ reason }) => reason));
}

describe.each(['sqlite', 'postgres'] as const)('text that is no UTF-8, on its way to %s', (to) => {
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
  it.each(['sqlite', 'postgres'] as const)('is named by whoever meets it, from %s', (from) =>
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

  it.each(['LATIN1', 'SQL_ASCII'])(
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
  ['name', `'${'n'.repeat(64)}'`, `'${'n'.repeat(63)}'`],
])('a text that a %s column keeps as another text', (type, changed, kept) => {
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

it('a text key that no uuid is stays a difference, and rows after it are compared', () => {
  const table = 'CREATE TABLE note (k TEXT PRIMARY KEY, v TEXT)';
  const moving = {
    mapping: notes(),
    legacy: ['postgres', table],
    extracted: ['postgres', table.replace('k TEXT', 'k uuid')],
  } as const;
  const upper = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11';
  return withMoved(moving, async ({ replication, sessions }) => {
    await sessions.legacy
      .run(`INSERT INTO note SELECT gen_random_uuid()::text, 'v' FROM generate_series(1, 3000);
      INSERT INTO note VALUES ('${upper}', 'upper'), ('${upper.toLowerCase()}', 'lower'), ('none', '')`);
    await expect(replication.barrier()).rejects.toThrow('(2)');
    expect(await sessions.extracted.rows(`SELECT v FROM note WHERE v <> 'v'`)).toEqual([
      { v: 'lower' },
    ]);
    expect(await replication.reconcile()).toMatchObject({ pairs: [{ missing: 2, different: 0 }] });
  });
});
