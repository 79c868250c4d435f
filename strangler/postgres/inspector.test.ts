import { describe, expect, it } from '@jest/globals';
import { createLog } from '../../chassis/index.ts';
import { checkCapability } from '../check/index.ts';
import type { CheckReport } from '../check/index.ts';
import { DataPlane } from '../data-plane.ts';
import { decodeRow, defineMapping, enumeration, same } from '../mapping/index.ts';
import type { Codec, Mapping, SqlValue } from '../mapping/index.ts';
import { openInspectors, openSides } from '../sides.ts';
import { withSidesOf } from '../testing/dialects.ts';
import type { DialectSides } from '../testing/dialects.ts';
import { withMoving } from '../testing/moving.ts';
import { postgresShopSchema } from '../testing/postgres-shop.ts';
import { shop } from '../testing/shop.ts';
import { oneTable } from '../testing/one-table.ts';
import { storedIn } from './column-types.ts';
import { castSql, textOf } from './columns.ts';
import { PostgresConnection } from './connection.ts';
import { PostgresInspector } from './inspector.ts';
import { install } from './install.ts';
import { readSchemas } from './schema.ts';
import type { Column } from './schema.ts';
import { uninstall } from './uninstall.ts';
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

function things(codec: Codec): Mapping {
  return defineMapping({
    capability: 'things',
    pairs: [
      {
        name: 'things',
        legacy: { table: 'things' },
        extracted: { table: 'things' },
        key: [same('id', 'id')],
        columns: [codec],
      },
    ],
  });
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

  it.each<[what: string, code: string, legacy: string, extracted: string, codec?: Codec]>([
    ['a decimal in a float', 'loses_value', 'numeric(20,6)', 'float8'],
    ['a large number in a small one', 'does_not_fit', 'bigint', 'integer'],
    ['decimals in one with fewer places', 'does_not_fit', 'numeric(12,3)', 'numeric(12,2)'],
    ['microseconds in milliseconds', 'loses_value', 'timestamp', 'timestamp(3)'],
    ['a text in a shorter one', 'does_not_fit', 'varchar(20)', 'varchar(3)'],
    [
      'a value of an enumeration that has no way',
      'not_total',
      'colour',
      'text',
      enumeration('a', 'a', { red: 'r' }),
    ],
  ])('refuses %s', (_what, code, legacy, extracted, codec = same('a', 'a')) => {
    const table = (type: string): string =>
      `CREATE TYPE colour AS ENUM ('red', 'green'); CREATE TABLE things (id bigint PRIMARY KEY, a ${type})`;
    return withSidesOf(
      'postgres',
      async (sides) => {
        const { ok, findings } = await checked(sides, things(codec));
        expect([ok, findings.map((finding) => finding.code)]).toEqual([
          false,
          expect.arrayContaining([code]),
        ]);
      },
      { legacy: table(legacy), extracted: table(extracted) },
    );
  });

  it.each([
    ['a UUID as text', 'uuid', 'text', `(1, '01890000-0000-7000-8000-000000000001')`],
    ['a label as text', 'colour', 'text', `(1, 'red'), (2, 'green')`],
    [
      'times far away',
      'timestamp',
      'timestamp',
      `(1, 'infinity'), (2, '-infinity'), (3, '0044-03-15 12:00:00 BC'), (4, '12026-01-01')`,
    ],
  ])('takes %s, as the engine does', (_what, legacy, extracted, rows) => {
    const table = (type: string): string =>
      `CREATE TYPE colour AS ENUM ('red', 'green'); CREATE TABLE things (id bigint PRIMARY KEY, a ${type})`;
    return withSidesOf(
      'postgres',
      async (sides) => {
        await sides.legacy.run(`INSERT INTO things VALUES ${rows}`);
        expect((await checked(sides, things(same('a', 'a')))).findings).toEqual([]);
      },
      { legacy: table(legacy), extracted: table(extracted) },
    );
  });

  it('takes no column to hold what the server would not', () => {
    const texts = [
      '12.345',
      '12.355',
      '-0.005',
      '0',
      '1e3',
      '99999',
      'x',
      '',
      '007',
      ' 5',
      'abcdef',
      'NaN',
      'Infinity',
      '-Infinity',
      '1e400',
      '1e-400',
      '0e5',
    ];
    const times = ['2026-01-31 09:30:00.123456', '2026-02-30 00:00:00', '2026-01-31'];
    const numbers = [0, 1, 7, -8, 40_000, 2 ** 40, 2n ** 63n - 1n, 2n ** 63n, 0.1, 1.5];
    const extremes = [
      1e300,
      -1e300,
      1e-300,
      5e-324,
      3.4e38,
      3.5e38,
      1e-46,
      NaN,
      Infinity,
      -Infinity,
    ];
    const values: readonly SqlValue[] = [
      ...texts,
      ...times,
      ...numbers,
      ...extremes,
      Buffer.from('00ff', 'hex'),
    ];
    const types =
      'smallint, integer, bigint, numeric(5,2), numeric(8,0), numeric, float4, float8, boolean, bytea, text, ' +
      'varchar(5), char(6), timestamp(3), timestamptz, date';
    const columns = types.split(', ').map((type, index) => `c${index} ${type}`);
    const schema = `CREATE TABLE things (id bigint PRIMARY KEY, ${columns.join(', ')})`;
    return withSidesOf(
      'postgres',
      async ({ urls }) => {
        const connection = new PostgresConnection(urls.legacy);
        const schemas = await connection.snapshot((client) => readSchemas(client, ['things']));
        const wrong: unknown[] = [];
        for (const [index, type] of types.split(', ').entries()) {
          const column = schemas.get('things')?.byName.get(`c${index}`);
          if (column === undefined) throw new Error(type);
          for (const value of values) {
            const told = attempt(() => storedIn(column, value));
            const held = await ask(connection, column, value);
            // Where the server makes something else of a value, to refuse it is as good.
            const refused = told instanceof Error && shownAs(held) !== shownAs(value);
            if (!refused && !Object.is(shownAs(told), shownAs(held))) {
              wrong.push([type, shownAs(value), shownAs(told), shownAs(held)]);
            }
          }
        }
        await connection.close();
        expect(wrong).toEqual([]);
      },
      { legacy: schema, extracted: '' },
    );
  });

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

  it('names each missing right, and nothing is installed on either side before', () =>
    withMoving(
      {
        mapping: words,
        legacy: ['postgres', 'CREATE TABLE word (k INT PRIMARY KEY, v TEXT)'],
        extracted: ['postgres', 'CREATE TABLE word (k INT PRIMARY KEY, v TEXT)'],
      },
      async ({ urls, sessions }) => {
        const user = `fig_test_stranger_${process.pid}`;
        const owner = `fig_test_business_${process.pid}`;
        await sessions.legacy
          .run(`CREATE ROLE ${user} LOGIN PASSWORD 'geheim'; CREATE ROLE ${owner};
          GRANT CREATE, USAGE ON SCHEMA public TO ${owner}; ALTER TABLE word OWNER TO ${owner}`);
        const as = Object.assign(new URL(urls.legacy), { username: user, password: 'geheim' }).href;
        const databases = openSides(words, { ...urls, legacy: as });
        const plane = new DataPlane({
          mapping: words,
          databases,
          log: createLog('test', 'silent'),
        });
        try {
          await expect(plane.install()).rejects.toThrow(
            new RegExp(
              `missing_right: legacy schema public: .+; GRANT CREATE, USAGE ON SCHEMA public TO ${user}\\n` +
                ` +missing_right: legacy table word: .+; GRANT ${owner} TO ${user}$`,
            ),
          );
          const ours = `SELECT FROM pg_class WHERE relname LIKE 'fig%'`;
          expect(await sessions.legacy.rows(ours)).toEqual([]);
          expect(await sessions.extracted.rows(ours)).toEqual([]);
          const inspectors = await openInspectors(words, { ...urls, legacy: as });
          const report = await checkCapability({ mapping: words, inspectors, measure: true });
          expect(report.findings.map(({ code }) => code)).toEqual([
            'missing_right',
            'missing_right',
          ]);
          await inspectors.legacy.close();
          await inspectors.extracted.close();
          await sessions.legacy.run(`GRANT CREATE, USAGE ON SCHEMA public TO ${user};
            GRANT ${owner} TO ${user}`);
          await plane.install();
        } finally {
          await plane.stop();
          await sessions.legacy.run(
            `DROP OWNED BY ${user}, ${owner} CASCADE; DROP ROLE ${user}, ${owner}`,
          );
        }
      },
    ));

  it('names the grants with which a user who owns nothing can install, and take out again', () =>
    withSidesOf('postgres', async ({ urls, legacy }) => {
      const [user, owner] = [`fig_test_engine_${process.pid}`, `fig_test_owner_${process.pid}`];
      await legacy.run(`CREATE ROLE ${user} LOGIN PASSWORD 'geheim';
        CREATE ROLE ${owner}; GRANT USAGE ON SCHEMA public TO ${owner};
        ALTER TABLE "STOCK" OWNER TO ${owner}; ALTER TABLE "PAY" OWNER TO ${owner};
        ALTER TABLE "LINES" OWNER TO ${owner}; ALTER TABLE "RFND" OWNER TO ${owner}`);
      const url = Object.assign(new URL(urls.legacy), { username: user, password: 'geheim' }).href;
      const inspector = await PostgresInspector.open(url, shop, 'legacy');
      const connection = new PostgresConnection(url);
      await expect(install(connection, shop, 'legacy')).rejects.toThrow(
        /must be owner|permission denied/,
      );
      for (const grant of inspector.grants()) await legacy.run(grant);
      await install(connection, shop, 'legacy');
      await legacy.run(`INSERT INTO "STOCK" VALUES ('a', 1, 0, NULL)`);
      expect(await legacy.rows('SELECT FROM fig_capture_shop')).toHaveLength(1);
      await uninstall(connection, 'shop');
      expect(await legacy.rows(`SELECT FROM pg_class WHERE relname LIKE 'fig%'`)).toEqual([]);
      await connection.close();
      await inspector.close();
      await legacy.run(`DROP OWNED BY ${user}, ${owner} CASCADE; DROP ROLE ${user}, ${owner}`);
    }));
});

function attempt(work: () => SqlValue): SqlValue | Error {
  try {
    return work();
  } catch (error) {
    return error as Error;
  }
}

function shownAs(value: SqlValue | Error): unknown {
  if (value instanceof Error) return 'refused';
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return typeof value === 'bigint' ? `${value}n` : value;
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
