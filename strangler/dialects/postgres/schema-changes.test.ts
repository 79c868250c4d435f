import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { eventually, inSoak, withPostgres } from '../../../tests/support/index.ts';
import { withMoved, withMoving } from '../../../tests/strangler/support/moving.ts';
import type { MovingSides } from '../../../tests/strangler/support/moving.ts';
import { oneTable } from '../../../tests/strangler/support/one-table.ts';

type PrivatePostgres = Parameters<Parameters<typeof withPostgres>[0]>[0];

const notes = oneTable({ capability: 'notes', table: 'note', name: 'notes', columns: ['v', 'w'] });

const TABLE = 'CREATE TABLE note (k INT PRIMARY KEY, v TEXT, w TEXT)';
const moving = {
  mapping: notes,
  legacy: ['postgres', TABLE],
  extracted: ['sqlite', TABLE],
} as const;

const typed = {
  mapping: oneTable({
    capability: 'notes',
    table: 'note',
    name: 'notes',
    columns: ['v', 'w', 'm', 'p', 's'],
  }),
  legacy: [
    'postgres',
    `CREATE TYPE mood AS ENUM ('ok', 'sad'); CREATE TYPE size AS ENUM ('s', 'm');
     CREATE TYPE pair AS (a INT, b TEXT);
     CREATE TABLE note (k INT PRIMARY KEY, v TEXT, w TEXT, m mood, p pair, s size[])`,
  ],
  extracted: [
    'sqlite',
    'CREATE TABLE note (k INT PRIMARY KEY, v TEXT, w TEXT, m TEXT, p TEXT, s TEXT)',
  ],
} as const;

/** Every kind of write that the business may still make. */
async function writes({ sessions: { legacy } }: MovingSides, columns: string): Promise<void> {
  await legacy.run(`INSERT INTO note (${columns}) SELECT n, n FROM generate_series(10, 12) n`);
  await legacy.run(`UPDATE note SET k = k + 100 WHERE k = 10`);
  await legacy.run(`DELETE FROM note WHERE k = 11`);
  await legacy.run(`BEGIN; SAVEPOINT s; UPDATE note SET k = k WHERE k = 12; RELEASE s; COMMIT`);
}

const CHANGES = [
  ['a renamed column', 'ALTER TABLE note RENAME v TO x', 'k, x', 'lost its column v'],
  ['a dropped column', 'ALTER TABLE note DROP v', 'k, w', 'lost its column v'],
  [
    'a renamed key',
    'ALTER TABLE note RENAME k TO id; ALTER TABLE note ADD k INT',
    'k, v',
    'column',
  ],
  [
    'a column of another type',
    `ALTER TABLE note ALTER v TYPE point USING NULL`,
    'k, w',
    'was text and is point',
  ],
  ['a column of bytes', `ALTER TABLE note ALTER v TYPE bytea USING NULL`, 'k, w', 'is bytea'],
  ['a new column', 'ALTER TABLE note ADD x TEXT', 'k, x', 'a new column x'],
];

describe('a change of the schema by the business', () => {
  it.each(inSoak(CHANGES, CHANGES.slice(0, 1)))(
    '%s fails no write, is told, and blocks the gates',
    async (_, ddl, columns, told) => {
      await withMoved(moving, async (sides) => {
        const { replication, sessions, databases } = sides;
        await sessions.legacy.run(`INSERT INTO note VALUES (1, 'a', 'b')`);
        await replication.barrier();
        await sessions.legacy.run(ddl);
        if (columns.startsWith('k, v') && ddl.includes('id'))
          await sessions.legacy.run('ALTER TABLE note DROP id');
        await writes(sides, columns);
        expect((await databases.legacy.checks.drift()).join()).toContain(told);
      });
    },
  );

  it.each([
    [
      'computes values anew',
      `ALTER TABLE note ALTER v TYPE TEXT USING upper(v)`,
      'column v was declared anew',
    ],
    [
      'puts a column in the place of another',
      'BEGIN; ALTER TABLE note DROP w; ALTER TABLE note ADD w TEXT; COMMIT',
      'column w is another one',
    ],
    [
      'gives columns the names of each other',
      'BEGIN; ALTER TABLE note RENAME v TO x; ALTER TABLE note RENAME w TO v; ALTER TABLE note RENAME x TO w; COMMIT',
      'column v is another one',
    ],
    [
      'puts an attribute in the place of another',
      'ALTER TYPE pair DROP ATTRIBUTE b CASCADE, ADD ATTRIBUTE b TEXT CASCADE',
      'attribute b of type pair is another one',
    ],
    [
      'renames a value',
      `ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'`,
      `lost value 'sad' of type mood`,
    ],
    [
      'gives values the names of each other',
      `ALTER TYPE mood RENAME VALUE 'sad' TO 'x'; ALTER TYPE mood RENAME VALUE 'ok' TO 'sad';
       ALTER TYPE mood RENAME VALUE 'x' TO 'ok'`,
      `value 'ok' of type mood is another one`,
    ],
    [
      'renames a value in an array',
      `ALTER TYPE size RENAME VALUE 's' TO 'S'`,
      `lost value 's' of type size`,
    ],
  ])('that %s, and leaves names and types as they were, is told', (_, ddl, told) =>
    withMoving(typed, async ({ replication, sessions, databases }) => {
      await sessions.legacy.run(`INSERT INTO note VALUES (1, 'a', 'b', 'sad', '(1,x)', '{s}')`);
      await replication.install();
      expect(await databases.legacy.checks.drift()).toEqual([]);
      await sessions.legacy.run(ddl);
      expect((await databases.legacy.checks.drift()).join('; ')).toContain(told);
      // An engine that starts again does not take it for granted.
      await replication.install();
      expect((await databases.legacy.checks.drift()).join('; ')).toContain(told);
      await databases.legacy.checks.accept();
      expect(await databases.legacy.checks.drift()).toEqual([]);
      expect((await databases.legacy.checks.demand())?.reason).toContain('schema');
    }),
  );

  it('is not taken for one where rows are only stored anew, or a build kept less', () =>
    withMoving(typed, async ({ replication, sessions, databases }) => {
      await replication.install();
      const shape = await sessions.legacy.rows<{ shape: string }>('SELECT shape FROM fig_shape');
      const { checks } = databases.legacy;
      for (const ddl of [
        'VACUUM FULL note',
        'CLUSTER note USING note_pkey',
        'TRUNCATE note',
        'ALTER TABLE note ALTER w SET STATISTICS 50',
        `ALTER TYPE mood ADD VALUE 'fine'`,
        'VACUUM FULL pg_attribute',
      ]) {
        await sessions.legacy.run(ddl);
        // What is none by itself is none together with the next one, once an engine has started in between.
        await replication.install();
        expect({ ddl, drift: await checks.drift() }).toEqual({ ddl, drift: [] });
      }
      const { note } = JSON.parse(shape[0]?.shape ?? '') as { note: Record<string, string> };
      delete note['\0'];
      const earlier = JSON.stringify({ note }).replaceAll("'", "''");
      await sessions.legacy.run(`UPDATE fig_shape SET shape = '${earlier}'`);
      expect(await checks.drift()).toEqual([]);
      await replication.install();
      await sessions.legacy.run(`ALTER TABLE note ALTER v TYPE TEXT USING upper(v)`);
      expect((await checks.drift()).join()).toContain('column v was declared anew');
    }));

  it('is still told after it was taken back: what was written meanwhile nobody has seen', () =>
    withMoved(moving, async (sides) => {
      const { replication, sessions, databases } = sides;
      await sessions.legacy.run('ALTER TABLE note RENAME v TO x');
      await writes(sides, 'k, x');
      await sessions.legacy.run('ALTER TABLE note RENAME x TO v');
      expect(await databases.legacy.checks.drift()).toEqual([
        expect.stringMatching(/^legacy table note: writes since .* were not captured \(column /),
      ]);
      await databases.legacy.checks.accept();
      expect(await databases.legacy.checks.drift()).toEqual([]);
      expect((await databases.legacy.checks.demand())?.reason).toContain('schema');
      expect(await replication.reconcile()).toMatchObject({ clean: false });
      await replication.repair();
      await replication.barrier();
      expect(await replication.reconcile()).toMatchObject({ clean: true, pairs: [{ rows: 2 }] });
    }));

  it('lets nobody past a closed fence', () =>
    withMoving(
      { ...moving, legacy: ['sqlite', TABLE], extracted: ['postgres', TABLE] },
      async ({ replication, sessions }) => {
        await replication.install();
        await sessions.extracted.run('ALTER TABLE note RENAME v TO x');
        await expect(sessions.extracted.run(`INSERT INTO note VALUES (1)`)).rejects.toThrow(
          'FENCED',
        );
        await expect(sessions.extracted.run(`DELETE FROM note`)).rejects.toThrow('FENCED');
      },
    ));
});

describe('commits in two phases', () => {
  it('go on where the server allows them, and what they write arrives', () =>
    withPostgres(async (server) => {
      await setting(server, 'max_prepared_transactions', '5');
      const legacy = ['postgres', TABLE, { server }] as const;
      await withMoved({ ...moving, legacy }, async ({ replication, sessions }) => {
        await sessions.legacy.run(
          `BEGIN; INSERT INTO note VALUES (1, 'a', 'b'); PREPARE TRANSACTION 'p'`,
        );
        await sessions.legacy.run(
          `BEGIN; INSERT INTO note VALUES (2, 'a', 'b'); PREPARE TRANSACTION 'q'`,
        );
        await sessions.legacy.run(`COMMIT PREPARED 'q'`);
        await sessions.legacy.run(`ROLLBACK PREPARED 'p'`);
        await eventually(async () =>
          expect(await sessions.extracted.rows('SELECT k FROM note')).toEqual([{ k: 2 }]),
        );
        expect(await replication.reconcile()).toMatchObject({ clean: true });
      });
    }));
});

/** One that only counts from the server's next start on. */
async function setting(server: PrivatePostgres, name: string, value: string): Promise<void> {
  const ask = async (sql: string): Promise<unknown> => {
    const client = new Client({ connectionString: server.url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows[0]?.[name];
    } finally {
      await client.end();
    }
  };
  await ask(`ALTER SYSTEM SET ${name} = ${value}`);
  await server.kill('SIGINT');
  await eventually(async () => expect(await ask(`SHOW ${name}`)).toBe(value));
}
