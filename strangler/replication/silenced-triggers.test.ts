import { describe, expect, it } from '@jest/globals';
import { inSoak } from '../../tests/support/index.ts';
import { withMoved, withMoving } from '../../tests/strangler/support/moving.ts';
import { oneTable } from '../../tests/strangler/support/one-table.ts';

const notes = oneTable({ capability: 'notes', table: 'note', name: 'notes', columns: ['v'] });
const TABLE = 'CREATE TABLE note (k TEXT PRIMARY KEY, v TEXT)';
const sqlite = { mapping: notes, legacy: ['sqlite', TABLE], extracted: ['sqlite', TABLE] } as const;
const postgres = { ...sqlite, legacy: ['postgres', TABLE] } as const;

describe('a session that silences triggers on PostgreSQL', () => {
  it('is captured and fenced like any other, where it says that it is a replica', () =>
    withMoved(postgres, async ({ replication, sessions }) => {
      await sessions.legacy.run(`SET session_replication_role = replica;
        INSERT INTO note VALUES ('a', '1')`);
      await replication.barrier();
      expect(await sessions.extracted.rows('SELECT * FROM note')).toEqual([{ k: 'a', v: '1' }]);
      await sessions.legacy.run(`UPDATE fig_fence SET state = 'closed'`);
      await expect(sessions.legacy.run(`DELETE FROM note`)).rejects.toThrow('FENCED');
    }));

  it.each(inSoak(['USER', 'ALL', 'fig_notes_capture_update'], ['ALL']))(
    'is found out, and stays so, where it disables %s and enables it again',
    (which) =>
      withMoved(postgres, async ({ replication, sessions, databases }) => {
        await sessions.legacy.run(`INSERT INTO note VALUES ('a', '1')`);
        await sessions.legacy.run(`BEGIN; ALTER TABLE note DISABLE TRIGGER ${which};
          UPDATE note SET v = '2'; ALTER TABLE note ENABLE TRIGGER ${which}; COMMIT`);
        expect((await databases.legacy.checks.drift()).join()).toContain('was not captured');
        // An engine that starts puts them right, and does not forget.
        await replication.install();
        expect(await databases.legacy.checks.drift()).toEqual([]);
        expect((await databases.legacy.checks.demand())?.reason).toContain('had lost triggers');
      }),
  );
});

describe('a table that is built anew on SQLite', () => {
  const REBUILD = async (sessions: { legacy: { rows<T>(sql: string): Promise<T[]> } }) => {
    const triggers = await sessions.legacy.rows<{ sql: string }>(
      `SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'note'`,
    );
    return `BEGIN; CREATE TABLE fresh (k TEXT PRIMARY KEY, v TEXT);
      INSERT INTO fresh SELECT k, v || '!' FROM note; DROP TABLE note;
      ALTER TABLE fresh RENAME TO note; ${triggers.map(({ sql }) => `${sql};`).join('\n')} COMMIT`;
  };

  it('is found out, each time, and VACUUM is nothing of that kind', () =>
    withMoved(sqlite, async ({ replication, sessions, databases }) => {
      await sessions.legacy.run(`INSERT INTO note VALUES ('a', '1')`);
      await replication.barrier();
      for (let time = 0; time < 2; time += 1) {
        await sessions.legacy.run('VACUUM');
        await replication.install();
        expect(await databases.legacy.checks.drift()).toEqual([]);
        await sessions.legacy.run(await REBUILD(sessions));
        expect(await databases.legacy.checks.drift()).toEqual([
          expect.stringContaining('legacy table note was rebuilt'),
        ]);
        await replication.install();
        expect(await databases.legacy.checks.drift()).toHaveLength(1);
        await databases.legacy.checks.accept();
        expect((await databases.legacy.checks.demand())?.reason).toContain('schema');
        await replication.repair();
      }
    }));
});

describe('REPLACE where recursive_triggers is off', () => {
  it.each([
    ['a partial index', `CREATE UNIQUE INDEX i ON note (v) WHERE v LIKE 'x%'`, '', `'n', 'x1'`],
    [
      'an index over an expression',
      `CREATE UNIQUE INDEX i ON note (lower(v), 1 + 1 DESC)`,
      '',
      `'n', 'X1'`,
    ],
    [
      'an index with a collation',
      `CREATE UNIQUE INDEX i ON note (v COLLATE NOCASE)`,
      '',
      `'n', 'X1'`,
    ],
    ['an index of columns', `CREATE UNIQUE INDEX i ON note (v)`, '', `'n', 'x1'`],
    ['its number', '', '(rowid, k, v) ', `1, 'n', 'new'`],
  ])('a row that goes by %s goes on the other side', (_, index, columns, values) =>
    withMoving(
      { ...sqlite, legacy: ['sqlite', `${TABLE}; ${index}`] },
      async ({ replication, sessions }) => {
        await replication.install();
        await replication.start();
        await replication.backfill();
        await sessions.legacy.run(`INSERT INTO note VALUES ('a', 'x1'), ('b', 'y')`);
        await replication.barrier();
        await sessions.legacy.run(`REPLACE INTO note ${columns}VALUES (${values})`);
        await replication.barrier();
        const there = await sessions.extracted.rows('SELECT k FROM note ORDER BY k');
        expect(there).toEqual([{ k: 'b' }, { k: 'n' }]);
        await sessions.legacy.run(`INSERT OR IGNORE INTO note ${columns}VALUES (${values})`);
        await replication.barrier();
        expect(await replication.reconcile()).toMatchObject({ clean: true, pairs: [{ rows: 2 }] });
      },
    ),
  );

  it('a row that goes since another one gets its number goes on the other side', () =>
    withMoved(sqlite, async ({ replication, sessions }) => {
      await sessions.legacy.run(`INSERT INTO note VALUES ('a', '1'), ('b', '2'), ('c', '3')`);
      for (const [word, gone] of [
        ['rowid', 'a'],
        ['_rowid_', 'b'],
      ] as const) {
        await sessions.legacy.run(`UPDATE OR REPLACE note SET ${word} =
          (SELECT rowid FROM note WHERE k = '${gone}') WHERE k = 'c'`);
      }
      await replication.barrier();
      expect(await sessions.extracted.rows('SELECT k FROM note')).toEqual([{ k: 'c' }]);
      expect(await replication.reconcile()).toMatchObject({ clean: true });
    }));

  it.each(['sqlite', 'postgres'] as const)(
    'a new unique index on %s is a change of the schema',
    (dialect) =>
      withMoved(
        { ...sqlite, legacy: [dialect, TABLE] },
        async ({ replication, sessions, databases }) => {
          await sessions.legacy.run(`CREATE UNIQUE INDEX i ON note (v)`);
          const told = [expect.stringMatching(/^legacy table note has a new unique index/)];
          expect(await databases.legacy.checks.drift()).toEqual(told);
          await replication.install();
          expect(await databases.legacy.checks.drift()).toEqual(told);
          await databases.legacy.checks.accept();
          expect(await databases.legacy.checks.drift()).toEqual([]);
        },
      ),
  );
});
