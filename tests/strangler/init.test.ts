import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { runCommand } from '../../strangler/cli/run.ts';
import type { Surroundings } from '../../chassis/cli/index.ts';
import { proposalsFor, routesIn, surveyOf } from '../../strangler/init/index.ts';
import { withTempDir } from '../support/index.ts';
import { runFig, withBookingsDatabases } from '../examples/bookings-stage.ts';
import type { Ran } from '../examples/bookings-stage.ts';
import { commandsOf } from '../examples/page.ts';
import { schemaDump } from '../examples/schema-dump.ts';
import { terminal } from './support/fig.ts';

const MOVED = ['booking_nights', 'bookings', 'room_closures', 'rooms'];

const OPENAPI = `
openapi: 3.1.0
servers: [{ url: https://hostels.example/api }]
paths:
  /rooms: {}
  /rooms/{id}: {}
  /bookings: {}
  /bookings/{id}/cancel: {}
  /reviews: {}
  /me: {}
`;

async function figInit(words: readonly string[], stdin?: Surroundings['stdin']): Promise<Ran> {
  let [stdout, stderr] = ['', ''];
  const code = await runCommand(['init', ...words], {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    env: {},
    ...(stdin ? { stdin } : {}),
  });
  return { code, stdout, stderr };
}

/** Answers every question about the mapping as it proposes. */
function answered(mapping: string): string {
  return mapping
    .replace('{ defineMapping,', '{ defineMapping, refuse,')
    .replaceAll(/^(\s*)\/\/ (triggers: .*|references: \{|\s+'.*|\},)$/gm, '$1$2');
}

describe('fig init', () => {
  it('is followed as docs/your-own-monolith.md says', () =>
    withBookingsDatabases(({ urls, sql }) =>
      withTempDir(async (folder) => {
        await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
        const hostels = join(folder, 'hostels');
        const env = {
          FIG_YES: '1',
          FIG_CONFIG: join(hostels, 'fig.config.ts'),
          MONOLITH_DATABASE_URL: urls.legacy,
          BOOKINGS_DATABASE_URL: urls.extracted,
        };
        const run = async (heading: string): Promise<readonly number[]> => {
          const codes: number[] = [];
          for (const line of await commandsOf(heading)) {
            const words = line.replaceAll('"$MONOLITH_DATABASE_URL"', urls.legacy).split(' ');
            codes.push((await runFig(words, env, folder)).code);
          }
          return codes;
        };
        expect(await run('Look, before anything is there')).toEqual([5]);
        expect(await run('Write a configuration')).toEqual([0]);
        await sql('extracted', await readFile(join(hostels, 'bookings.sql'), 'utf8'));
        const mapping = join(hostels, 'bookings.mapping.ts');
        await writeFile(mapping, answered(await readFile(mapping, 'utf8')));
        expect(await run('Answer, and check')).toEqual([0, 0]);
      }),
    ));

  it('proposes the tables that belong together, and no others', () =>
    withBookingsDatabases(async ({ urls }) => {
      const { tables } = await surveyOf(urls.legacy);
      const [first, ...others] = proposalsFor(tables, {});
      expect([first?.name, first?.tables.toSorted()]).toEqual(['bookings', MOVED]);
      expect(others.map(({ name }) => name)).toEqual([
        'rooms',
        'invoices',
        'reviews',
        'customers',
        'newsletter_issues',
      ]);
      const routes = ['/api/rooms', '/api/bookings'];
      for (const hints of [{ name: 'bookings' }, { routes }, { name: 'stays', routes }]) {
        const [hinted] = proposalsFor(tables, hints);
        expect(hinted?.tables.toSorted()).toEqual(MOVED);
      }
      // Parents before those that refer to them.
      expect(first?.tables.indexOf('rooms')).toBeLessThan(first?.tables.indexOf('bookings') ?? 0);
      expect(routesIn(OPENAPI)).toEqual(['/api/rooms', '/api/bookings', '/api/reviews', '/api/me']);
      expect(proposalsFor(tables, { routes: ['/v1/room-closures'] })[0]?.tables).toEqual([
        'rooms',
        'room_closures',
      ]);
    }));

  it('writes a configuration that loads, and that fits once its questions are answered', () =>
    withBookingsDatabases(({ urls, sql }) =>
      withTempDir(async (folder) => {
        const before = await schemaDump(urls.legacy);
        await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
        await writeFile(join(folder, 'api.yaml'), OPENAPI);
        const words = [
          '--database',
          urls.legacy,
          '--dir',
          folder,
          '--openapi',
          join(folder, 'api.yaml'),
        ];
        const made = await figInit([...words, '--yes', '--json']);
        expect([made.code, made.stderr]).toEqual([0, expect.any(String)]);
        expect(JSON.parse(made.stdout)).toMatchObject({
          proposal: { name: 'bookings', routes: ['/api/rooms', '/api/bookings'] },
          files: [
            'fig.config.ts',
            'bookings.mapping.ts',
            'bookings.sql',
            'README.md',
            'flags.json',
          ].map((name) => ({ name, outcome: 'written' })),
          questions: 8,
        });
        await sql('extracted', await readFile(join(folder, 'bookings.sql'), 'utf8'));
        const fig = (...line: readonly string[]): Promise<Ran> =>
          runFig(line, {
            FIG_CONFIG: join(folder, 'fig.config.ts'),
            MONOLITH_DATABASE_URL: urls.legacy,
            BOOKINGS_DATABASE_URL: urls.extracted,
          });
        expect(await fig('config', 'print')).toMatchObject({
          code: 0,
          stdout: expect.stringContaining('rooms: rooms - rooms'),
        });
        const open = await fig('check', '--json');
        const { capabilities } = JSON.parse(open.stdout) as {
          capabilities: [{ findings: { code: string; message: string }[] }];
        };
        const codes = capabilities[0].findings.map(({ code }) => code).sort();
        // One for each question that the mapping has.
        const mapping = await readFile(join(folder, 'bookings.mapping.ts'), 'utf8');
        expect(codes).toEqual([
          'border_reference',
          'border_reference',
          'border_reference',
          'foreign_trigger',
        ]);
        expect(mapping.match(/QUESTION:/g)).toHaveLength(codes.length);
        const edited = answered(mapping);
        await writeFile(join(folder, 'bookings.mapping.ts'), edited);
        expect(await fig('check')).toMatchObject({ code: 0 });
        expect(await fig('assess', '--window', '0')).toMatchObject({ code: 0 });

        const again = await figInit([
          ...words,
          '--monolith-url',
          'http://old.example',
          '--yes',
          '--json',
        ]);
        expect(JSON.parse(again.stdout)).toMatchObject({
          files: [
            { name: 'fig.config.ts', outcome: 'written' },
            { name: 'bookings.mapping.ts', outcome: 'kept' },
            { name: 'bookings.sql', outcome: 'unchanged' },
            { name: 'README.md', outcome: 'unchanged' },
            { name: 'flags.json', outcome: 'kept' },
          ],
        });
        expect(await readFile(join(folder, 'bookings.mapping.ts'), 'utf8')).toBe(edited);
        expect(await schemaDump(urls.legacy)).toBe(before);
      }),
    ));

  it('reads what schemas have that are older than their rules', () =>
    withBookingsDatabases(({ urls, sql }) =>
      withTempDir(async (folder) => {
        await sql(
          'legacy',
          `CREATE DOMAIN cents AS integer CHECK (VALUE >= 0);
           CREATE TABLE "Orders" ("OrderID" integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state varchar(9) NOT NULL
             CHECK (state IN ('open', 'it''s paid')), price cents NOT NULL DEFAULT 0, twice integer GENERATED ALWAYS AS (2) STORED,
             token uuid DEFAULT gen_random_uuid(), color text NOT NULL);
           CREATE TABLE no_key (a integer);
           INSERT INTO "Orders" (state, color) SELECT 'open', (ARRAY['red', 'blue'])[1 + n % 2] FROM generate_series(1, 100) n;
           ANALYZE`,
        );
        const words = [
          '--database',
          urls.legacy,
          '--dir',
          folder,
          '--tables',
          'Orders,no_key',
          '--name',
          'orders',
        ];
        expect(await figInit([...words, '--yes'])).toMatchObject({ code: 0 });
        const mapping = await readFile(join(folder, 'orders.mapping.ts'), 'utf8');
        expect(mapping).toContain(
          `enumeration('state', 'state', { open: 'open', 'it\\'s paid': 'it\\'s paid' })`,
        );
        expect(mapping).toContain(`twice: 'the database computes it'`);
        expect(mapping).toContain('SET GENERATED BY DEFAULT');
        expect(mapping).toContain(`only 'blue', 'red' were seen here`);
        expect(mapping).toContain('nothing makes a row of no_key one of a kind');
        const schema = await readFile(join(folder, 'orders.sql'), 'utf8');
        expect(schema).toContain('price integer NOT NULL DEFAULT 0');
        expect(schema).toContain(`CHECK (state IN ('open', 'it''s paid'))`);
        expect(schema).toContain('DEFAULT gen_random_uuid(). Who gives it here?');
        await sql('extracted', schema);
      }),
    ));

  it('asks a person, and does nothing without an answer', () =>
    withBookingsDatabases(({ urls }) =>
      withTempDir(async (folder) => {
        const words = ['--database', urls.legacy, '--dir', folder];
        expect(await figInit(words)).toMatchObject({
          code: 2,
          stderr: expect.stringMatching(/nothing was changed\nnext: fig init --database .* --yes/),
        });
        expect(await figInit(words, terminal('n'))).toMatchObject({ code: 1 });
        await expect(readFile(join(folder, 'fig.config.ts'))).rejects.toThrow('ENOENT');
        const agreed = await figInit(words, terminal('y'));
        expect(agreed).toMatchObject({
          code: 0,
          stderr: expect.stringContaining('customers  about 200 rows'),
        });
        expect(await figInit([])).toMatchObject({
          code: 2,
          stderr: expect.stringContaining('which database?'),
        });
        expect(await figInit([...words, '--tables', 'roms', '--yes'])).toMatchObject({
          code: 2,
          stderr: expect.stringContaining('there is no table roms; there are'),
        });
      }),
    ));
});
