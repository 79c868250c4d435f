import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { runCommand } from '../../strangler/cli/run.ts';
import { checkCapability, openInspectors } from '../../strangler/index.ts';
import { assessCapability, assessDatabase } from '../../strangler/assess/index.ts';
import type { Assessment, Item } from '../../strangler/assess/index.ts';
import { bookingsMapping } from '../../examples/bookings/mapping.ts';
import { withTempDir } from '../support/index.ts';
import { exampleFile, withBookingsDatabases } from '../examples/bookings-stage.ts';
import type { BookingsDatabases, Ran } from '../examples/bookings-stage.ts';
import { schemaDump } from '../examples/schema-dump.ts';

/** Tables of which each has something in its way. */
const TROUBLE = `
  CREATE TABLE no_key (a integer);
  CREATE TABLE always (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    twice integer GENERATED ALWAYS AS (2) STORED, nobody oid);
  CREATE TABLE parted (id integer PRIMARY KEY, at date) PARTITION BY HASH (id);
  CREATE UNLOGGED TABLE scratch (id integer PRIMARY KEY);
  CREATE TABLE measured (size numeric PRIMARY KEY);
  CREATE VIEW seen AS SELECT id FROM customers;
  CREATE FUNCTION expire() RETURNS void LANGUAGE sql AS $$ DELETE FROM bookings WHERE status = 'expired' $$;`;

async function runFig(...words: readonly string[]): Promise<Ran> {
  let [stdout, stderr] = ['', ''];
  const code = await runCommand(words, {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    env: {},
  });
  return { code, stdout, stderr };
}

/** What must be the same after an assessment. */
async function stateOf({ urls, sql }: BookingsDatabases): Promise<unknown> {
  const rows =
    'SELECT (SELECT count(*) FROM bookings) AS bookings, (SELECT last_value FROM bookings_id_seq) AS last';
  return [
    await schemaDump(urls.legacy),
    await schemaDump(urls.extracted),
    await sql('legacy', rows),
    await sql('extracted', rows),
  ];
}

async function withBothSchemas<T>(use: (databases: BookingsDatabases) => Promise<T>): Promise<T> {
  return withBookingsDatabases(async (databases) => {
    await databases.sql('extracted', await exampleFile('service.sql'));
    return use(databases);
  });
}

function itemsOf({ items, databases }: Assessment): readonly Item[] {
  return [
    ...items,
    ...databases.flatMap(({ tables }) =>
      tables.flatMap((table) => [
        ...table.items,
        ...table.columns.flatMap((column) => column.items),
      ]),
    ),
  ];
}

const ALL = { mapping: bookingsMapping, windowMs: 0, rows: true, drainFirst: [] } as const;

describe('fig assess', () => {
  it('finds that the example fits, and changes nothing', () =>
    withBothSchemas(async (databases) => {
      const before = await stateOf(databases);
      const assessment = await assessCapability({ ...ALL, urls: databases.urls });
      expect(itemsOf(assessment)).toEqual([]);
      expect(assessment).toMatchObject({
        capability: 'bookings',
        verdict: 'fits',
        rowsTried: 7569,
      });
      const [legacy] = assessment.databases;
      expect(legacy?.load).toMatchObject({ rows: 7569, copySeconds: 4 });
      expect(legacy?.tables.find(({ table }) => table === 'bookings')).toMatchObject({
        referredBy: ['booking_nights(booking_id)', 'invoices(booking_id)'],
        triggers: ['bookings_touch'],
        sequences: ['id: public.bookings_id_seq'],
      });
      expect(await stateOf(databases)).toEqual(before);
    }));

  it('shows all that fig check refuses', () =>
    withBothSchemas(async ({ urls, sql }) => {
      await sql(
        'legacy',
        `ALTER TABLE bookings ADD color text; CREATE RULE none AS ON DELETE TO rooms DO INSTEAD NOTHING;
         CREATE TRIGGER nights_touch BEFORE UPDATE ON booking_nights FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
         CREATE TABLE stays (booking_id bigint REFERENCES bookings (id));`,
      );
      await sql('extracted', 'ALTER TABLE rooms DROP amenities');
      const compare = async (): Promise<readonly string[]> => {
        const inspectors = await openInspectors(bookingsMapping, urls);
        const { findings } = await checkCapability({
          mapping: bookingsMapping,
          inspectors,
          measure: true,
        });
        await inspectors.legacy.close();
        await inspectors.extracted.close();
        const assessed = itemsOf(await assessCapability({ ...ALL, urls }));
        const shown = assessed.map(({ code, message }) => `${code}: ${message}`).sort();
        expect(shown).toEqual(findings.map(({ code, message }) => `${code}: ${message}`).sort());
        return findings.map(({ code }) => code);
      };
      expect([...(await compare())].sort()).toEqual([
        'border_reference',
        'foreign_trigger',
        'no_column',
        'not_carried',
        'rules',
      ]);
      await sql(
        'legacy',
        `ALTER TABLE bookings DROP color; DROP RULE none ON rooms; DROP TRIGGER nights_touch ON booking_nights;
         DROP TABLE stays; UPDATE rooms SET code = 'Q' WHERE id = 1;`,
      );
      await sql(
        'extracted',
        `ALTER TABLE rooms ADD amenities text[]; ALTER TABLE rooms ALTER code TYPE char(5)`,
      );
      expect(await compare()).toContain('loses_value');
    }));

  it('judges every table of a database before there is a configuration', () =>
    withBothSchemas(async (databases) => {
      const { urls, sql } = databases;
      await sql('legacy', TROUBLE);
      const before = await stateOf(databases);
      await withTempDir(async (folder) => {
        const html = join(folder, 'report.html');
        const ran = await runFig(
          'assess',
          '--database',
          urls.legacy,
          '--json',
          '--html',
          html,
          '--window',
          '0.1',
        );
        expect(ran.code).toBe(3);
        const { assessments } = JSON.parse(ran.stdout) as { assessments: [Assessment] };
        const [{ databases: assessed }] = assessments;
        const verdicts = assessed[0]?.tables.map(({ table, verdict }) => [table, verdict]);
        expect(Object.fromEntries(verdicts ?? [])).toEqual({
          always: 'choice',
          booking_nights: 'fits',
          bookings: 'choice',
          customers: 'fits',
          invoices: 'fits',
          measured: 'cannot',
          newsletter_issues: 'fits',
          no_key: 'cannot',
          parted: 'cannot',
          reviews: 'fits',
          room_closures: 'fits',
          rooms: 'fits',
          scratch: 'cannot',
          seen: 'cannot',
          sessions: 'fits',
        });
        expect(
          itemsOf(assessments[0])
            .map(({ code }) => code)
            .sort(),
        ).toEqual([
          'always_identity',
          'foreign_trigger',
          'generated',
          'key_not_unique',
          'key_not_unique',
          'key_type',
          'local_type',
          'not_a_table',
          'not_a_table',
          'not_permanent',
        ]);
        expect(assessed[0]?.writers).toContainEqual({
          kind: 'routine',
          name: 'expire',
          tables: ['bookings'],
          detail: expect.stringContaining('DELETE FROM bookings'),
        });
        const page = await readFile(html, 'utf8');
        expect(page).toContain('nothing makes (a) unique');
        expect(page).toContain('On Azure Database for PostgreSQL');
        expect(page).not.toMatch(/<script|<link|src=/);
      });
      const some = await runFig(
        'assess',
        '--database',
        urls.legacy,
        '--tables',
        'rooms,bookings',
        '--window',
        '0',
      );
      expect([some.code, some.stdout]).toEqual([
        5,
        expect.stringContaining('reviews(room_id) refers to rooms (ON DELETE NO ACTION'),
      ]);
      const fitting = await runFig(
        'assess',
        '--database',
        urls.legacy,
        '--tables',
        'newsletter_issues',
        '--window',
        '0',
      );
      expect(fitting.code).toBe(0);
      expect(
        (await runFig('assess', '--database', urls.legacy, '--tables', 'nowhere', '--window', '0'))
          .code,
      ).toBe(3);
      expect(await stateOf(databases)).toEqual(before);
    }));

  it('counts writes within its window', () =>
    withBothSchemas(async ({ urls }) => {
      const client = new Client({ connectionString: urls.legacy });
      await client.connect();
      try {
        const assessing = assessDatabase({ url: urls.legacy, tables: ['rooms'], windowMs: 2_500 });
        let going = true;
        const writing = (async () => {
          while (going) {
            await client.query('UPDATE rooms SET beds = beds');
            // Figures are handed over by a session that has been idle for a second, or now.
            await client.query('SELECT pg_stat_force_next_flush()');
          }
        })();
        const { databases } = await assessing;
        going = false;
        await writing;
        expect(databases[0]?.tables[0]?.writes?.window).toBeGreaterThan(1);
        expect(databases[0]?.load?.captureBytesPerSecond).toBeGreaterThan(100);
      } finally {
        await client.end();
      }
    }));

  it('names the grants that a user without rights lacks, by which it then fits', () =>
    withBothSchemas(async ({ urls, sql }) => {
      const role = `mover_${Date.now()}`;
      await sql(
        'legacy',
        `CREATE ROLE ${role} LOGIN PASSWORD 'p'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`,
      );
      const url = new URL(urls.legacy);
      url.username = role;
      url.password = 'p';
      const assess = () =>
        assessDatabase({
          url: url.href,
          tables: ['newsletter_issues', 'reviews', 'rooms'],
          windowMs: 0,
        });
      try {
        const lacking = await assess();
        expect(itemsOf(lacking).map(({ code }) => code)).toEqual(
          expect.arrayContaining(['missing_right', 'references']),
        );
        for (const grant of lacking.databases[0]?.rights.grants ?? []) await sql('legacy', grant);
        const codes = itemsOf(await assess()).map(({ code }) => code);
        expect(codes).not.toContain('missing_right');
        expect(codes).not.toContain('references');
      } finally {
        await sql('legacy', `DROP OWNED BY ${role}; DROP ROLE ${role}`);
      }
    }));
});
