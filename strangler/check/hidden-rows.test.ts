import { describe, expect, it } from '@jest/globals';
import { createLog } from '../../chassis/index.ts';
import type { Dialect } from '../../chassis/index.ts';
import { Replication } from '../replication/replication.ts';
import { defineMapping, same } from '../mapping/index.ts';
import { openInspectors, openSides } from '../sides/sides.ts';
import { withMoving } from '../../tests/strangler/support/moving.ts';
import { oneTable } from '../../tests/strangler/support/one-table.ts';
import { checkCapability } from './check.ts';
import { newRole, urlAs } from '../../tests/strangler/support/roles.ts';

const notes = oneTable({ capability: 'notes', table: 'note', name: 'notes', columns: ['v'] });
const TABLE = 'CREATE TABLE note (k TEXT PRIMARY KEY, v TEXT)';

function refusals(
  [legacy, extracted]: readonly [Dialect, Dialect],
  schemas: readonly [string, string],
): Promise<string[]> {
  return withMoving(
    { mapping: notes, legacy: [legacy, schemas[0]], extracted: [extracted, schemas[1]] },
    async ({ check }) => (await check()).findings.map(({ code }) => code),
  );
}

describe('what keeps us from seeing a whole table is refused', () => {
  it.each([
    [
      'a view',
      `CREATE TABLE t (k TEXT PRIMARY KEY, v TEXT); CREATE VIEW note AS SELECT * FROM t`,
      'not_a_table',
    ],
    ['a parent', `${TABLE}; CREATE TABLE child () INHERITS (note)`, 'not_a_table'],
    [
      'partitions',
      `CREATE TABLE note (k TEXT PRIMARY KEY, v TEXT) PARTITION BY HASH (k)`,
      'not_a_table',
    ],
    ['a rule', `${TABLE}; CREATE RULE r AS ON UPDATE TO note DO INSTEAD NOTHING`, 'rules'],
    [
      'a table that a crash empties',
      'CREATE UNLOGGED TABLE note (k TEXT PRIMARY KEY, v TEXT)',
      'not_permanent',
    ],
    [
      'a table of that name for somebody else',
      `${TABLE}; CREATE SCHEMA postgres; CREATE TABLE postgres.note (k TEXT, v TEXT)`,
      'ambiguous_table',
    ],
    [
      'a key that only the database gives',
      `CREATE TABLE note (k INT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v TEXT)`,
      'always_identity',
    ],
    [
      'a key without case',
      `CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
       CREATE TABLE note (k TEXT COLLATE ci PRIMARY KEY, v TEXT)`,
      'key_equality',
    ],
    [
      'a unique column without case',
      `CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
       CREATE TABLE note (k TEXT PRIMARY KEY, v TEXT COLLATE ci UNIQUE)`,
      'unique_equality',
    ],
  ])('%s on PostgreSQL', async (_, schema, code) => {
    expect(await refusals(['postgres', 'sqlite'], [schema, TABLE])).toContain(code);
  });

  it.each([
    [
      'a view',
      `CREATE TABLE t (k TEXT PRIMARY KEY, v TEXT); CREATE VIEW note AS SELECT * FROM t`,
      'not_a_table',
    ],
    ['a virtual table', `CREATE VIRTUAL TABLE note USING fts5 (k, v)`, 'not_a_table'],
    [
      'a key without case',
      `CREATE TABLE note (k TEXT PRIMARY KEY COLLATE NOCASE, v TEXT)`,
      'key_collation',
    ],
    [
      'a unique column without case',
      `CREATE TABLE note (k TEXT PRIMARY KEY, v TEXT COLLATE NOCASE UNIQUE)`,
      'unique_equality',
    ],
  ])('%s on SQLite', async (_, schema, code) => {
    expect(await refusals(['sqlite', 'sqlite'], [TABLE, schema])).toContain(code);
  });

  it('a table that a crash empties on the side that follows, with the remedy', () =>
    withMoving(
      {
        mapping: notes,
        legacy: ['sqlite', TABLE],
        extracted: ['postgres', 'CREATE UNLOGGED TABLE note (k TEXT PRIMARY KEY, v TEXT)'],
      },
      async ({ check, replication, sessions }) => {
        expect((await check()).findings).toMatchObject(
          [
            { code: 'not_permanent', side: 'extracted', message: /ALTER TABLE note SET LOGGED/ },
          ].map((one) => ({ ...one, message: expect.stringMatching(one.message) })),
        );
        await expect(replication.install()).rejects.toThrow('not_permanent');
        await sessions.extracted.run('ALTER TABLE note SET LOGGED');
        await replication.install();
      },
    ));

  it('a column of oids, and the others are judged beside it', async () => {
    const schema = 'CREATE TABLE note (k TEXT PRIMARY KEY, v OID, w TEXT)';
    expect(await refusals(['postgres', 'postgres'], [schema, schema])).toEqual(
      expect.arrayContaining(['local_type', 'not_carried']),
    );
  });

  it.each([
    ['a loss', 'ALTER TABLE note SET UNLOGGED', 'property UNLOGGED, by which a crash empties it'],
    ['a part', 'CREATE TABLE newer () INHERITS (note)', 'part newer'],
    ['a rule', 'CREATE RULE aside AS ON DELETE TO note DO INSTEAD NOTHING', 'rewriting rule aside'],
    [
      'a table of the same name',
      'CREATE SCHEMA postgres; CREATE TABLE postgres.note (k TEXT)',
      'namesake: the engine finds the one in schema postgres, and schema public has one, too',
    ],
  ])('the gates see %s that comes later', (_, ddl, said) =>
    withMoving(
      { mapping: notes, legacy: ['postgres', TABLE], extracted: ['sqlite', TABLE] },
      async ({ sessions, databases, replication }) => {
        await replication.install();
        expect(await databases.legacy.checks.drift()).toEqual([]);
        await sessions.legacy.run(ddl);
        expect((await databases.legacy.checks.drift()).join()).toContain(`a new ${said}`);
      },
    ),
  );

  it('columns without case on both sides agree', async () => {
    const table = 'CREATE TABLE note (k TEXT PRIMARY KEY, v TEXT COLLATE NOCASE UNIQUE)';
    expect(await refusals(['sqlite', 'sqlite'], [table, table])).toEqual([]);
  });

  it('a policy, by the check, by the installation, and by the gates when it comes later', () =>
    withMoving(
      { mapping: notes, legacy: ['postgres', TABLE], extracted: ['sqlite', TABLE] },
      async ({ urls, sessions }) => {
        const role = `fig_role_${Date.now()}`;
        await sessions.legacy.run(`INSERT INTO note VALUES ('a', '1');
          ${newRole(role)};
          GRANT CREATE, USAGE ON SCHEMA public TO ${role}; ALTER TABLE note OWNER TO ${role}`);
        const sides = { legacy: urlAs(urls.legacy, role), extracted: urls.extracted };
        const databases = openSides(notes, sides);
        try {
          await databases.legacy.install();
          expect(await databases.legacy.checks.drift()).toEqual([]);
          await sessions.legacy.run(`ALTER TABLE note ENABLE ROW LEVEL SECURITY`);
          // Who owns a table sees it whole, unless it says otherwise.
          expect(await databases.legacy.checks.drift()).toEqual([]);
          await sessions.legacy.run(`ALTER TABLE note FORCE ROW LEVEL SECURITY`);
          expect((await databases.legacy.checks.drift()).join()).toContain(
            `a new policy that hides rows from ${role}`,
          );
          await expect(databases.legacy.checks.accept()).rejects.toThrow('row_security');
          const inspectors = await openInspectors(notes, sides);
          const { findings } = await checkCapability({ mapping: notes, inspectors, measure: true });
          expect(findings).toMatchObject([{ code: 'row_security', side: 'legacy' }]);
          await inspectors.legacy.close();
          await inspectors.extracted.close();
        } finally {
          await databases.legacy.close();
          await databases.extracted.close();
          await sessions.legacy.run(`DROP OWNED BY ${role} CASCADE`);
          await sessions.legacy.run(`DROP ROLE ${role}`);
        }
      },
    ));

  it('all faults of one schema at once, and nothing is installed', () => {
    const ledger = defineMapping({
      capability: 'ledger',
      pairs: ['account', 'entry'].map((table) => ({
        name: table,
        legacy: { table },
        extracted: { table },
        key: [same('k', 'k')],
        columns: [same('v', 'v')],
      })),
    });
    const legacy = `CREATE EXTENSION citext;
      CREATE TABLE account (k CITEXT PRIMARY KEY, v TEXT);
      CREATE TABLE entry (k INT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v TEXT);
      CREATE TABLE letter (account CITEXT REFERENCES account (k) ON DELETE CASCADE);
      ALTER TABLE entry ENABLE ROW LEVEL SECURITY; ALTER TABLE entry FORCE ROW LEVEL SECURITY`;
    const extracted = `CREATE TABLE account (k TEXT PRIMARY KEY, v TEXT);
      CREATE TABLE entry (k INTEGER PRIMARY KEY, v TEXT)`;
    return withMoving(
      { mapping: ledger, legacy: ['postgres', legacy], extracted: ['sqlite', extracted] },
      async ({ urls, sessions }) => {
        const role = `fig_test_nobody_${process.pid}`;
        await sessions.legacy.run(newRole(role));
        const as = urlAs(urls.legacy, role);
        const sides = { ...urls, legacy: as };
        const inspectors = await openInspectors(ledger, sides);
        const databases = openSides(ledger, sides);
        const log = createLog('test', 'silent');
        const replication = new Replication({ mapping: ledger, databases, log });
        const ours = `LIKE 'fig%'`;
        try {
          const report = await checkCapability({ mapping: ledger, inspectors, measure: true });
          expect(report.findings.map(({ code, message }) => `${code}: ${message}`)).toEqual(
            expect.arrayContaining(
              [
                /^row_security: legacy table entry: /,
                /^border_reference: legacy table account: /,
                /^key_equality: legacy table account: /,
                /^always_identity: legacy table entry: /,
                new RegExp(`^missing_right: legacy .*; GRANT .+ TO ${role}$`),
              ].map((said) => expect.stringMatching(said)),
            ),
          );
          await expect(replication.install()).rejects.toThrow('missing_right');
          const onLegacy = `SELECT FROM pg_class WHERE relname ${ours}`;
          const onExtracted = `SELECT name FROM sqlite_schema WHERE name ${ours}`;
          expect(await sessions.legacy.rows(onLegacy)).toEqual([]);
          expect(await sessions.extracted.rows(onExtracted)).toEqual([]);
        } finally {
          await inspectors.legacy.close();
          await inspectors.extracted.close();
          await replication.stop();
          await sessions.legacy.run(`DROP ROLE ${role}`);
        }
      },
    );
  });
});
