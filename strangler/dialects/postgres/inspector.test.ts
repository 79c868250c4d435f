import { describe, expect, it } from '@jest/globals';
import { checkCapability } from '../../check/index.ts';
import type { CheckReport } from '../../check/index.ts';
import { decodeRow, defineMapping, enumeration, same, worthOf } from '../../mapping/index.ts';
import type { Codec, Mapping, SqlValue } from '../../mapping/index.ts';
import { openInspectors } from '../../sides/sides.ts';
import { withSidesOf } from '../../../tests/strangler/support/dialects.ts';
import type { DialectSides } from '../../../tests/strangler/support/dialects.ts';
import { withMoving } from '../../../tests/strangler/support/moving.ts';
import { postgresShopSchema } from '../../../tests/strangler/support/postgres-shop.ts';
import { shop } from '../../../tests/strangler/support/shop.ts';
import { oneTable } from '../../../tests/strangler/support/one-table.ts';
import { castSql, textOf } from './columns.ts';
import { PostgresConnection } from './connection.ts';
import { ColumnProbe } from './column-probe.ts';
import { PostgresInspector } from './inspector.ts';
import { install } from './install.ts';
import { readSchemas } from './schema.ts';
import type { Column } from './schema.ts';
import { imageSql } from './values.ts';

const words = oneTable({ capability: 'words', table: 'word', columns: ['v'] });

async function checked({ urls }: DialectSides, mapping: Mapping = shop): Promise<CheckReport> {
  const inspectors = await openInspectors(mapping, urls);
  try {
    return await checkCapability({ mapping, inspectors, measure: true });
  } finally {
    await inspectors.legacy.close();
    await inspectors.extracted.close();
  }
}

function things(...columns: readonly Codec[]): Mapping {
  return defineMapping({
    capability: 'things',
    pairs: [
      {
        name: 'things',
        legacy: { table: 'things' },
        extracted: { table: 'things' },
        key: [same('id', 'id')],
        columns,
      },
    ],
  });
}

function thingsTable(types: readonly string[]): string {
  const columns = types.map((type, index) => `c${index} ${type}`);
  return `CREATE TABLE things (id bigint PRIMARY KEY, ${columns.join(', ')})`;
}

describe('a check on PostgreSQL', () => {
  it('finds nothing wrong with a mapping that loses nothing, and says what it read', () =>
    withSidesOf('postgres', async (sides) => {
      await sides.legacy.run(`INSERT INTO "STOCK" VALUES ('a', 9007199254740993, 1, NULL);
        INSERT INTO "LINES" VALUES ('a"é😀', 1, NULL, '\\x00ff'), ('a"é😀', 2, 'x', NULL);
        INSERT INTO "PAY" VALUES ('p', 12.30, 'S', '2026-01-31 09:30:00', '2026-01-31 09:30:00.123+01')`);
      expect(await checked(sides)).toMatchObject({
        ok: true,
        findings: [],
        rows: { legacy: 4 },
      });
    }));

  it('names each column whose type changes values', async () => {
    // By what legacy has and what the service has: all columns of one table, which takes one database.
    const refused: readonly (readonly [legacy: string, extracted: string, code: string])[] = [
      ['numeric(20,6)', 'float8', 'loses_value'],
      ['bigint', 'integer', 'does_not_fit'],
      ['numeric(12,3)', 'numeric(12,2)', 'does_not_fit'],
      ['timestamp', 'timestamp(3)', 'loses_value'],
      ['varchar(20)', 'varchar(3)', 'does_not_fit'],
      ['json', 'jsonb', 'loses_value'],
      ['text', 'jsonb', 'does_not_fit'],
      ['text', 'interval', 'does_not_fit'],
      ['text', 'time', 'does_not_fit'],
      ['text', 'tsvector', 'loses_value'],
      ['text', 'int[]', 'does_not_fit'],
      ['text[]', 'jsonb', 'does_not_fit'],
      ['bit(5)', 'bit(3)', 'does_not_fit'],
      ['bit(3)', 'bit(5)', 'does_not_fit'],
      ['interval', 'varchar(5)', 'does_not_fit'],
      ['timetz', 'time', 'loses_value'],
      ['inet', 'cidr', 'does_not_fit'],
      ['uuid', 'varchar(10)', 'does_not_fit'],
      ['text', 'char(20)', 'loses_value'],
    ];
    const codecs = refused.map((_, index) => same(`c${index}`, `c${index}`));
    await withSidesOf(
      'postgres',
      async (sides) => {
        const { ok, findings } = await checked(sides, things(...codecs));
        expect(ok).toBe(false);
        for (const [index, [legacy, extracted, code]] of refused.entries()) {
          const own = findings.filter(({ column }) => column === `things.c${index}`);
          expect([legacy, extracted, own.map((finding) => finding.code)]).toEqual([
            legacy,
            extracted,
            expect.arrayContaining([code]),
          ]);
        }
      },
      {
        legacy: thingsTable(refused.map(([legacy]) => legacy)),
        extracted: thingsTable(refused.map(([, extracted]) => extracted)),
      },
    );
  });

  it('refuses a value of an enumeration that has no way', () =>
    withSidesOf(
      'postgres',
      async (sides) => {
        const { findings } = await checked(sides, things(enumeration('c0', 'c0', { red: 'r' })));
        expect(findings.map(({ code }) => code)).toContain('not_total');
      },
      {
        legacy: `CREATE TYPE colour AS ENUM ('red', 'green'); ${thingsTable(['colour'])}`,
        extracted: thingsTable(['text']),
      },
    ));

  it('takes types as themselves, and a UUID or a label as text, as the engine does', () => {
    const taken: readonly (readonly [legacy: string, extracted: string, value: string])[] = [
      ['uuid', 'text', '01890000-0000-7000-8000-000000000001'],
      ['colour', 'text', 'red'],
      ['json', 'json', '{"b":1, "b":2}'],
      ['jsonb', 'jsonb', '{"b":1.50}'],
      ['interval', 'interval', '1 mon -2 days'],
      ['timetz', 'timetz', '09:00+02'],
      ['int[]', 'int[]', '{{1,2},{3,NULL}}'],
      ['bit(3)', 'bit(3)', '101'],
      ['inet', 'inet', '10.0.0.1/8'],
      ['tsvector', 'tsvector', 'a:1 b:2A'],
      ['int4range', 'int4range', '(0,5]'],
      ['point', 'point', '(0.1,-0)'],
      ['timestamp', 'timestamp', 'infinity'],
      ['timestamp', 'timestamp', '0044-03-15 12:00:00 BC'],
      ['timestamp', 'timestamp', '12026-01-01'],
    ];
    const codecs = taken.map((_, index) => same(`c${index}`, `c${index}`));
    const colour = `CREATE TYPE colour AS ENUM ('red', 'green')`;
    return withSidesOf(
      'postgres',
      async (sides) => {
        const values = taken.map(([, , value]) => `'${value}'`).join(', ');
        await sides.legacy.run(`INSERT INTO things VALUES (1, ${values})`);
        expect((await checked(sides, things(...codecs))).findings).toEqual([]);
      },
      {
        legacy: `${colour}; ${thingsTable(taken.map(([legacy]) => legacy))}`,
        extracted: thingsTable(taken.map(([, extracted]) => extracted)),
      },
    );
  });

  it('knows of each value what a column would hold, by the words of the server', () => {
    const texts =
      '12.345;-0.005;0;1e3;99999;x;;007; 5;abcdef;ab ;NaN;-Infinity;1e400;101;10101;{1,NULL};{"a":1,"a":2}';
    const times = ['2026-01-31 09:30:00.123456', '2026-02-30 00:00:00', '2026-01-31', '09:30:00.5'];
    const numbers = [
      0,
      -0,
      7,
      -8,
      40_000,
      2 ** 40,
      2n ** 63n - 1n,
      2n ** 63n,
      0.1,
      1e300,
      5e-324,
      3.5e38,
      Infinity,
    ];
    const values: readonly SqlValue[] = [
      ...texts.split(';'),
      ...times,
      ...numbers,
      Buffer.from('00ff', 'hex'),
    ];
    const types =
      'smallint;integer;bigint;numeric(5,2);numeric(8,0);numeric;float4;float8;boolean;bytea;text;varchar(5);char(6);' +
      'timestamp(3);timestamptz;date;time;interval;json;jsonb;bit(3);varbit(3);int[];text[];inet;tsvector';
    return withSidesOf(
      'postgres',
      async ({ urls }) => {
        const connection = new PostgresConnection(urls.legacy);
        const schemas = await connection.snapshot((client) => readSchemas(client, ['things']));
        const probe = new ColumnProbe(connection, 'UTF8');
        const wrong: unknown[] = [];
        for (const [index, type] of types.split(';').entries()) {
          const column = schemas.get('things')?.byName.get(`c${index}`);
          if (column === undefined) throw new Error(type);
          const told = await probe.ask(column, values);
          for (const [nr, value] of values.entries()) {
            const step = told[nr];
            const said = step?.ok === true ? step.value : new Error(step?.reason);
            // The applier writes bytes as text, which no reading of a column of text gives back.
            if (value instanceof Uint8Array && column.kind !== 'bytes') {
              expect(said).toBeInstanceOf(Error);
              continue;
            }
            const kept = await ask(connection, column, value);
            if (!Object.is(shownAs(said), shownAs(kept))) {
              wrong.push([type, shownAs(value), shownAs(said), shownAs(kept)]);
            }
          }
        }
        await connection.close();
        expect(wrong).toEqual([]);
      },
      { legacy: thingsTable(types.split(';')), extracted: '' },
    );
  });

  it('leaves the database as it was', () =>
    withSidesOf(
      'postgres',
      async (sides) => {
        await sides.legacy.run(`INSERT INTO things (a) VALUES ('09:00')`);
        const state = `SELECT (SELECT last_value FROM things_id_seq), (SELECT count(*) FROM pg_proc WHERE pronamespace::regnamespace::text !~ '^pg_temp'),
          (SELECT count(*) FROM things), (SELECT count(*) FROM pg_class WHERE relnamespace::regnamespace::text !~ '^pg_temp')`;
        const before = await sides.legacy.rows(state);
        await checked(sides, things(same('a', 'a')));
        expect(await sides.legacy.rows(state)).toEqual(before);
      },
      {
        legacy: 'CREATE TABLE things (id bigserial PRIMARY KEY, a time)',
        extracted: 'CREATE TABLE things (id bigint PRIMARY KEY, a time)',
      },
    ));

  it('prints beforehand all that installing creates, and the grants that it needs', () =>
    withSidesOf('postgres', async ({ urls, legacy, extracted }) => {
      const inspector = await PostgresInspector.open(urls.legacy, shop, 'legacy');
      const creates = await inspector.creates();
      await inspector.close();
      const connection = new PostgresConnection(urls.legacy);
      await install(connection, shop, 'legacy');
      await connection.close();
      // By hand, in a database that looks the same.
      await extracted.run('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
      await extracted.run(postgresShopSchema.legacy);
      for (const sql of creates) await extracted.run(sql);
      const made = `SELECT relname AS name FROM pg_class WHERE relname LIKE 'fig%'
        UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname LIKE 'fig%'
        UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname LIKE 'fig%'
        ORDER BY name`;
      expect(await extracted.rows(made)).toEqual(await legacy.rows(made));
    }));

  it.each([
    [
      'in a schema that is not searched',
      'CREATE SCHEMA tenant; CREATE TABLE tenant.word (k INT PRIMARY KEY, v TEXT)',
      'legacy table word: does not exist in this database; there is one in schema tenant, where the user of ' +
        'this URL does not look: add ?options=-csearch_path%3Dtenant to the URL',
    ],
    [
      'whose name is written otherwise',
      'CREATE TABLE "Word" (k INT PRIMARY KEY, v TEXT)',
      'legacy table word: does not exist in this database; there is public.Word, and names are told apart by ' +
        'their case',
    ],
    [
      'with a column that is written otherwise',
      'CREATE TABLE word (k INT PRIMARY KEY, "V" TEXT)',
      'legacy table word: has no column v, but V: names are told apart by their case; make it, or start the ' +
        'engine with a mapping that does not name it',
    ],
  ])('says how a table is to be found %s', (_, legacy, said) =>
    withMoving(
      {
        mapping: words,
        legacy: ['postgres', legacy],
        extracted: ['postgres', 'CREATE TABLE word (k INT PRIMARY KEY, v TEXT)'],
      },
      async ({ check }) => {
        const [first] = (await check()).findings;
        expect(first?.message).toBe(said);
      },
    ),
  );
});

function shownAs(value: SqlValue | Error): unknown {
  if (value instanceof Error) return 'refused';
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return typeof value === 'bigint' ? `${value}n` : worthOf(value);
}

/** What the server makes of a value in a column, by way of the applier's cast and the image. */
async function ask(
  connection: PostgresConnection,
  column: Column,
  value: SqlValue,
): Promise<SqlValue | Error> {
  try {
    const { rows } = await connection.transaction(async (client) => {
      await client.query('DELETE FROM things');
      await client.query(
        `INSERT INTO things (id, ${column.name}) SELECT 1, ${castSql(column, 'v')} FROM (SELECT $1::text v) x`,
        [textOf(value)],
      );
      return client.query<{ image: string }>(
        `SELECT ${imageSql('t', [column])} AS image FROM things t`,
      );
    });
    return decodeRow(rows[0]?.image ?? '{}')[column.name] ?? null;
  } catch (error) {
    return error as Error;
  }
}
