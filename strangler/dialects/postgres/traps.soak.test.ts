import { describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { createLog, dialectOf, sqliteFile } from '../../../chassis/index.ts';
import { temporaryPostgresDatabase } from '../../../tests/support/index.ts';
import { Replication } from '../../replication/replication.ts';
import { defineMapping, same } from '../../mapping/index.ts';
import type { ParkedChanges } from '../../sides/side-database.ts';
import { openSides } from '../../sides/sides.ts';

const COLUMNS = ['whole', 'exact', 'real', 'yes', 'bytes', 'at', 'id', 'mood', 'doc', 'note'];

const things = defineMapping({
  capability: 'things',
  pairs: [
    {
      name: 'things',
      legacy: { table: 'thing' },
      extracted: { table: 'thing' },
      key: [same('k', 'k')],
      columns: COLUMNS.map((column) => same(column, column)),
    },
    {
      name: 'parts',
      legacy: { table: 'part' },
      extracted: { table: 'part' },
      key: [same('k', 'k'), same('no', 'no')],
      columns: [same('note', 'note')],
    },
  ],
});

const POSTGRES = `
  CREATE TYPE mood AS ENUM ('so so', 'fine');
  CREATE TABLE thing (k TEXT PRIMARY KEY, whole BIGINT, exact NUMERIC, "real" DOUBLE PRECISION,
    yes BOOLEAN, bytes BYTEA, at TIMESTAMPTZ, id UUID, mood mood, doc JSONB, note VARCHAR(5));
  CREATE TABLE part (k TEXT REFERENCES thing, no INTEGER, note TEXT, PRIMARY KEY (k, no));`;
const SQLITE = `
  CREATE TABLE thing (k TEXT PRIMARY KEY, whole INTEGER, exact TEXT, real REAL, yes INTEGER,
    bytes BLOB, at TEXT, id TEXT, mood TEXT, doc TEXT, note TEXT);
  CREATE TABLE part (k TEXT, no INTEGER, note TEXT, PRIMARY KEY (k, no));`;

/** A row as images hold it, on either dialect. */
const ROW = {
  k: 'a',
  whole: 9_223_372_036_854_775_807n,
  exact: '12345678901234567890.1234567890',
  real: 0.1 + 0.2,
  yes: 1,
  bytes: Buffer.from('00ff5c27', 'hex'),
  at: '2026-03-29 01:30:00.123456',
  id: '0b0e3c1e-9d1b-4d5c-8a55-6a2f3a0c9f11',
  mood: 'so so',
  doc: '{"a": [1, null]}',
  note: 'é\u{1F600}\\"',
};

interface Prompt {
  readonly url: string;
  run(sql: string, values?: readonly unknown[]): Promise<void>;
  rows(): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

async function postgres(): Promise<Prompt> {
  const database = await temporaryPostgresDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  // Whoever writes by hand has a clock of his own.
  await client.query(`SET timezone = 'America/New_York'`);
  await client.query(POSTGRES);
  return {
    url: database.url,
    run: async (sql, values) => void (await client.query(sql, values && [...values])),
    rows: async () => {
      const at = `to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') AS at`;
      const text = ['whole', 'exact', 'id', 'mood', 'doc'].map((column) => `${column}::text`);
      const sql = `SELECT k, ${text.join()}, "real", yes::int, bytes, ${at}, note FROM thing ORDER BY k`;
      return (await client.query<Record<string, unknown>>(sql)).rows;
    },
    close: async () => {
      await client.end();
      await database.drop();
    },
  };
}

async function sqlite(): Promise<Prompt> {
  const folder = mkdtempSync(join(tmpdir(), 'fig-traps-'));
  const url = `file:${join(folder, 'side.db')}`;
  const database = new Database(sqliteFile(url));
  database.pragma('journal_mode = WAL');
  database.exec(SQLITE);
  return {
    url,
    run: async (sql, values = []) =>
      void database.prepare(sql.replaceAll(/\$\d+/g, '?')).run(...values),
    rows: async () =>
      database
        .prepare('SELECT *, CAST(whole AS TEXT) AS whole FROM thing ORDER BY k')
        .all() as Record<string, unknown>[],
    close: async () => {
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
}

type Open = () => Promise<Prompt>;

async function withReplication(
  [openLegacy, openExtracted]: readonly [Open, Open],
  work: (
    replication: Replication,
    legacy: Prompt,
    extracted: Prompt,
    parked: ParkedChanges,
  ) => Promise<void>,
  altered?: string,
): Promise<void> {
  const [legacy, extracted] = [await openLegacy(), await openExtracted()];
  if (altered !== undefined) await extracted.run(altered);
  const databases = openSides(things, { legacy: legacy.url, extracted: extracted.url });
  const log = createLog('test', 'silent');
  const replication = new Replication({ mapping: things, databases, log });
  try {
    await replication.install();
    await replication.start();
    await work(replication, legacy, extracted, databases.extracted.parked);
  } finally {
    await replication.stop();
    await legacy.close();
    await extracted.close();
  }
}

const names = Object.keys(ROW).map((column) => `"${column}"`);
const INSERT = `INSERT INTO thing (${names.join()}) VALUES (${names.map((_, i) => `$${i + 1}`).join()})`;

function valuesFor({ url }: Prompt, row: Record<string, unknown>): unknown[] {
  if (dialectOf(url) === 'sqlite') return Object.values(row);
  // What is typed by hand says its zone.
  return Object.values({
    ...row,
    yes: row['yes'] === null ? null : row['yes'] === 1,
    at: row['at'] === null ? null : `${row['at'] as string}+00`,
  });
}

describe.each([
  ['sqlite to postgres', [sqlite, postgres]],
  ['postgres to postgres', [postgres, postgres]],
  ['postgres to sqlite', [postgres, sqlite]],
] as const)('from %s', (_, sides) => {
  it('values of all kinds arrive as they are, by copy and by feed', () =>
    withReplication(sides, async (replication, legacy, extracted) => {
      const nothing: Record<string, null> = Object.fromEntries(
        Object.keys(ROW).map((column) => [column, null]),
      );
      const least = { ...ROW, k: '', whole: -(2n ** 63n), exact: '-0.50', real: -1e300, yes: 0 };
      const rows: (Record<string, unknown> & { readonly k: string })[] = [
        ROW,
        { ...nothing, k: 'nothing' },
        { ...least, bytes: Buffer.alloc(0), note: '' },
      ];
      for (const row of rows) await legacy.run(INSERT, valuesFor(legacy, row));
      const expected = rows
        .map((row) => ({ ...row, whole: row['whole'] && `${row['whole'] as bigint}` }))
        .sort((left, right) => (left.k < right.k ? -1 : 1));
      const found = async (): Promise<unknown[]> =>
        (await extracted.rows()).map((row) => ({ ...row }));
      await replication.barrier();
      expect(await found()).toEqual(expected);
      await replication.backfill({ restart: true });
      expect(await found()).toEqual(expected);
      expect(await replication.reconcile()).toMatchObject({ clean: true, rows: [] });
      // A key that changes is a row that goes and one that comes.
      await legacy.run(`UPDATE thing SET k = 'b' WHERE k = 'a'`);
      await replication.barrier();
      expect((await extracted.rows()).map(({ k }) => k)).toEqual(['', 'b', 'nothing']);
      expect(await replication.reconcile()).toMatchObject({ clean: true });
    }));
});

const NO_REFERENCE = 'ALTER TABLE part DROP CONSTRAINT part_k_fkey';

describe('what PostgreSQL has and SQLite has not', () => {
  it('TRUNCATE is as many deletes', () =>
    withReplication([postgres, sqlite], async (replication, legacy, extracted) => {
      for (const k of ['a', 'b']) await legacy.run(INSERT, valuesFor(legacy, { ...ROW, k }));
      await replication.barrier();
      expect(await extracted.rows()).toHaveLength(2);
      await legacy.run('TRUNCATE thing, part');
      await replication.barrier();
      expect(await extracted.rows()).toEqual([]);
    }));

  it('references hold at last, though rows come in an order of their own', () =>
    withReplication([sqlite, postgres], async (replication, legacy, extracted) => {
      await legacy.run(`INSERT INTO part VALUES ('a', 1, 'an orphan for a moment')`);
      await replication.barrier();
      await legacy.run(INSERT, valuesFor(legacy, ROW));
      await replication.backfill({ restart: true });
      await replication.barrier();
      expect(await extracted.rows()).toHaveLength(1);
      expect(await replication.reconcile()).toMatchObject({ clean: true });
      await legacy.run(`DELETE FROM thing`);
      await legacy.run(`DELETE FROM part`);
      await replication.barrier();
      expect(await extracted.rows()).toEqual([]);
    }));

  it('what is no number, and what has no end, arrives as it is', () =>
    withReplication([postgres, postgres], async (replication, legacy, extracted) => {
      const values = [Number.NaN, Infinity, -Infinity, 1e300, 5e-324];
      const rows = values.map((real, nr) => ({ ...ROW, k: `${nr}`, real, exact: String(real) }));
      for (const row of rows) await legacy.run(INSERT, valuesFor(legacy, row));
      await replication.barrier();
      expect((await extracted.rows()).map(({ real }) => real)).toEqual(values);
      expect(await extracted.rows()).toEqual(await legacy.rows());
      expect(await replication.reconcile()).toMatchObject({ clean: true });
      await extracted.run(`BEGIN; SET LOCAL fig.applying = 'on';
        UPDATE thing SET "real" = 5 WHERE k = '0'; COMMIT`);
      expect((await replication.reconcile()).rows).toMatchObject([
        { kind: 'different', key: ['0'] },
      ]);
      await replication.backfill({ restart: true });
      expect(await extracted.rows()).toEqual(await legacy.rows());
    }));

  it('what is no number is parked where SQLite would make NULL of it', () =>
    withReplication([postgres, sqlite], async (replication, legacy, extracted, parked) => {
      for (const [k, real] of Object.entries({ a: Number.NaN, b: Infinity, c: -1e300 })) {
        await legacy.run(INSERT, valuesFor(legacy, { ...ROW, k, real }));
      }
      await expect(replication.barrier()).rejects.toThrow('(1)');
      expect((await extracted.rows()).map(({ k, real }) => [k, real])).toEqual([
        ['b', Infinity],
        ['c', -1e300],
      ]);
      expect((await parked.list())[0]).toMatchObject({
        reason: expect.stringContaining('NaN'),
      });
    }));

  it('what a constraint refuses is parked, also one that is only asked at the commit', () =>
    withReplication(
      [sqlite, postgres],
      async (replication, legacy, extracted, parked) => {
        // Until the copy is whole, a value may have a new owner, and makes room for it.
        await replication.backfill();
        const rows = [
          { ...ROW, k: 'a', note: '1' },
          { ...ROW, k: 'b', note: '2' },
          { ...ROW, k: 'c', note: '1' },
          { ...ROW, k: 'd', note: '4', whole: -1n },
          { ...ROW, k: 'e', note: '5' },
        ];
        for (const row of rows) await legacy.run(INSERT, valuesFor(legacy, row));
        await expect(replication.barrier()).rejects.toThrow('(2)');
        expect((await extracted.rows()).map(({ k }) => k)).toEqual(['a', 'b', 'e']);
        // What is refused by itself is parked before what does not fit beside others.
        expect((await parked.list()).map(({ key, reason }) => [key['k'], reason])).toEqual([
          ['d', expect.stringContaining('"thing_whole_check"')],
          ['c', expect.stringContaining('"once"')],
        ]);
        // Values that change hands are right in the end, and nobody is to blame.
        await legacy.run(
          `UPDATE thing SET note = char(unicode(note) + 2), whole = 1 WHERE k IN ('c', 'd')`,
        );
        await legacy.run(
          `UPDATE thing SET note = CASE note WHEN '1' THEN '2' ELSE '1' END WHERE k IN ('a', 'b')`,
        );
        await replication.repair();
        await replication.barrier();
        expect(
          (await extracted.rows()).map(({ k, note }) => `${String(k)}${String(note)}`),
        ).toEqual(['a2', 'b1', 'c3', 'd6', 'e5']);
      },
      `${NO_REFERENCE}; ALTER TABLE thing ADD CHECK (whole > 0) NOT VALID, ADD CONSTRAINT once UNIQUE (note) DEFERRABLE INITIALLY DEFERRED`,
    ));

  it('a key whose rows are only counted at the commit is as good as another', () =>
    withReplication(
      [sqlite, postgres],
      async (replication, legacy, extracted) => {
        for (const k of ['a', 'b']) await legacy.run(INSERT, valuesFor(legacy, { ...ROW, k }));
        await replication.barrier();
        await legacy.run(`UPDATE thing SET whole = 5`);
        await legacy.run(`DELETE FROM thing WHERE k = 'a'`);
        await replication.barrier();
        expect((await extracted.rows()).map(({ k, whole }) => [k, whole])).toEqual([['b', '5']]);
      },
      `${NO_REFERENCE}; ALTER TABLE thing DROP CONSTRAINT thing_pkey, ADD PRIMARY KEY (k) DEFERRABLE INITIALLY DEFERRED`,
    ));

  it('a unique key that is asked at the commit is refused where rows refer to each other', async () => {
    const late = 'ALTER TABLE thing ADD UNIQUE (note) DEFERRABLE';
    await expect(withReplication([sqlite, postgres], async () => undefined, late)).rejects.toThrow(
      'make it NOT DEFERRABLE',
    );
  });

  it('a NUL in a text, a text that is too long, and no member of an enum, are parked', () =>
    withReplication([sqlite, postgres], async (replication, legacy, extracted) => {
      const bad = [
        { ...ROW, k: 'nul', note: 'a\0b' },
        { ...ROW, k: 'long', note: '123456' },
        { ...ROW, k: 'mood', mood: 'furious' },
        { ...ROW, k: 'good' },
      ];
      for (const row of bad) await legacy.run(INSERT, valuesFor(legacy, row));
      await expect(replication.barrier()).rejects.toThrow('(3)');
      expect((await extracted.rows()).map(({ k }) => k)).toEqual(['good']);
      for (const { k } of bad) {
        await legacy.run(`UPDATE thing SET note = 'ok', mood = 'fine' WHERE k = $1`, [k]);
      }
      await replication.repair();
      await replication.barrier();
      expect(await replication.reconcile()).toMatchObject({ clean: true });
    }));
});
