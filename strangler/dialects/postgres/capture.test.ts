import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { eventually } from '../../../tests/support/index.ts';
import { decodeRow, defineMapping, same } from '../../mapping/index.ts';
import type { Mapping, Row } from '../../mapping/index.ts';
import { withSidesOf } from '../../../tests/strangler/support/dialects.ts';
import type { Session } from '../../../tests/strangler/support/dialects.ts';
import { PostgresConnection } from './connection.ts';
import { APPLYING } from './functions.ts';
import { install } from './install.ts';
import { wakeChannel } from './tables.ts';

const LINES = `CREATE TABLE lines (doc TEXT, no INTEGER, slug TEXT UNIQUE, n INTEGER,
  PRIMARY KEY (doc, no))`;

function mappingOf(key: readonly string[], columns: readonly string[], triggers = {}): Mapping {
  const table = { table: 'lines', triggers };
  return defineMapping({
    capability: 'lines',
    pairs: [
      {
        name: 'lines',
        legacy: table,
        extracted: table,
        key: key.map((column) => same(column, column)),
        columns: columns.map((column) => same(column, column)),
      },
    ],
  });
}

const lines = mappingOf(['doc', 'no'], ['slug', 'n']);

interface Stage {
  readonly connection: PostgresConnection;
  readonly legacy: Session;
  /** What was captured since the last look. */
  captured(): Promise<string[]>;
}

function withCapture(
  mapping: Mapping,
  schema: string,
  work: (stage: Stage) => Promise<void>,
): Promise<void> {
  const schemas = { legacy: schema, extracted: '' };
  return withSidesOf(
    'postgres',
    async ({ urls, legacy }) => {
      const connection = new PostgresConnection(urls.legacy);
      try {
        await install(connection, mapping, 'legacy');
        const captured = async (): Promise<string[]> => {
          const rows = await legacy.rows<{ op: string; key: string; image: string | null }>(
            `WITH gone AS (DELETE FROM fig_capture_lines RETURNING *) SELECT * FROM gone ORDER BY seq`,
          );
          return rows.map(({ op, key, image }) => [op, key, image].filter(Boolean).join(' '));
        };
        await work({ connection, legacy, captured });
      } finally {
        await connection.close();
      }
    },
    schemas,
  );
}

const upsert = (doc: string, no: number, slug: string | null, n: number): string =>
  `upsert ${JSON.stringify({ doc, no })} ${JSON.stringify({ doc, no, slug, n })}`;
const gone = (doc: string, no: number): string => `delete ${JSON.stringify({ doc, no })}`;

describe('capture on PostgreSQL', () => {
  it('records every change with its image, and a changed key as delete and upsert', () =>
    withCapture(lines, LINES, async ({ legacy, captured }) => {
      await legacy.run(`INSERT INTO lines VALUES ('a"é😀', 1, NULL, 1)`);
      expect(await captured()).toEqual([upsert('a"é😀', 1, null, 1)]);
      await legacy.run(`UPDATE lines SET n = 2; UPDATE lines SET no = 2; DELETE FROM lines`);
      expect(await captured()).toEqual([
        upsert('a"é😀', 1, null, 2),
        gone('a"é😀', 1),
        upsert('a"é😀', 2, null, 2),
        gone('a"é😀', 2),
      ]);
    }));

  it('keeps apart the rows of a statement that moves all keys by one', () =>
    withCapture(
      lines,
      LINES.replace('PRIMARY KEY (doc, no)', 'UNIQUE (doc, no) DEFERRABLE'),
      async ({ legacy, captured }) => {
        await legacy.run(`INSERT INTO lines SELECT 'a', n, NULL, n FROM generate_series(1, 3) n`);
        await captured();
        await legacy.run(`UPDATE lines SET no = no + 1`);
        expect((await captured()).sort()).toEqual([
          gone('a', 1),
          upsert('a', 2, null, 1),
          upsert('a', 3, null, 2),
          upsert('a', 4, null, 3),
        ]);
      },
    ));

  it('sees ON CONFLICT, MERGE, COPY, cascades and TRUNCATE', () =>
    withCapture(lines, LINES, async ({ legacy, captured }) => {
      await legacy.run(`INSERT INTO lines VALUES ('a', 1, 'x', 1), ('b', 1, 'y', 1)`);
      await captured();
      await legacy.run(`INSERT INTO lines VALUES ('c', 1, 'x', 5), ('d', 1, 'z', 5)
        ON CONFLICT (slug) DO UPDATE SET n = excluded.n`);
      expect((await captured()).sort()).toEqual([upsert('a', 1, 'x', 5), upsert('d', 1, 'z', 5)]);
      await legacy.run(`MERGE INTO lines t USING (VALUES ('b', 7), ('e', 8)) s (doc, n)
        ON t.doc = s.doc WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.doc, 1, NULL, s.n)`);
      expect((await captured()).sort()).toEqual([gone('b', 1), upsert('e', 1, null, 8)]);
      await legacy.run(`COPY lines FROM PROGRAM 'printf "f\\t1\\t\\\\\\N\\t9\\n"'`);
      expect(await captured()).toEqual([upsert('f', 1, null, 9)]);
      await legacy.run(`CREATE TABLE docs (doc TEXT PRIMARY KEY);
        INSERT INTO docs SELECT doc FROM lines;
        ALTER TABLE lines ADD FOREIGN KEY (doc) REFERENCES docs ON DELETE CASCADE;
        DELETE FROM docs WHERE doc = 'f'`);
      expect(await captured()).toEqual([gone('f', 1)]);
      await legacy.run('TRUNCATE lines');
      expect((await captured()).sort()).toEqual([gone('a', 1), gone('d', 1), gone('e', 1)]);
    }));

  it('records nothing of what is rolled back, nor of what the applier writes', () =>
    withCapture(lines, LINES, async ({ legacy, captured }) => {
      await legacy.run(`BEGIN; INSERT INTO lines VALUES ('a', 1, NULL, 1); ROLLBACK`);
      await legacy.run(`BEGIN; ${APPLYING}; INSERT INTO lines VALUES ('a', 1, NULL, 1); COMMIT`);
      await legacy.run(`BEGIN; ${APPLYING}; TRUNCATE lines; COMMIT`);
      expect(await captured()).toEqual([]);
      await legacy.run(`INSERT INTO lines VALUES ('a', 1, NULL, 1)`);
      expect(await captured()).toHaveLength(1);
    }));

  it('ends with the row as it is where another trigger writes to it, too', () => {
    const mapping = mappingOf(['doc', 'no'], ['slug', 'n'], { aaa: 'counts', zzz: 'counts' });
    const counting = ['aaa', 'zzz'].map(
      (trigger) => `CREATE TRIGGER ${trigger} AFTER INSERT ON lines FOR EACH ROW
        EXECUTE FUNCTION add_one();`,
    );
    const schema = `${LINES}; CREATE FUNCTION add_one() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN UPDATE lines SET n = n + 1 WHERE doc = NEW.doc; RETURN NULL; END'; ${counting.join('')}`;
    return withCapture(mapping, schema, async ({ legacy, captured }) => {
      await legacy.run(`INSERT INTO lines VALUES ('a', 1, NULL, 1)`);
      expect((await captured()).at(-1)).toBe(upsert('a', 1, null, 3));
    });
  });

  it('writes values as SQLite does, whatever the session is set to', () => {
    const types: Readonly<Record<string, readonly [type: string, sql: string, value: unknown]>> = {
      small: ['smallint', '-7', -7],
      large: ['bigint', '9007199254740993', 9007199254740993n],
      least: ['bigint', '-9223372036854775808', -9223372036854775808n],
      money: ['numeric(12,2)', '12.3', '12.30'],
      many: [
        'numeric',
        '123456789012345678901234567890.00010',
        '123456789012345678901234567890.00010',
      ],
      real: ['float8', '0.1::float8 + 0.2', 0.30000000000000004],
      single: ['real', '0.1', 0.1],
      endless: ['float8', `'-Infinity'`, -Infinity],
      yes: ['boolean', 'true', 1],
      no: ['boolean', 'false', 0],
      bytes: ['bytea', `'\\x00ff'`, Buffer.from('00ff', 'hex')],
      words: ['varchar(20)', `E'\\\\ "é😀"\\n'`, '\\ "é😀"\n'],
      fixed: ['char(5)', `'ab'`, 'ab'],
      nothing: ['text', 'NULL', null],
      empty: ['text', `''`, ''],
      day: ['date', `'2026-02-28'`, '2026-02-28'],
      zoned: ['timestamptz', `'2026-02-28 23:30:00.5-05'`, '2026-03-01 04:30:00.500'],
      micro: ['timestamp', `'2026-02-28 23:30:00.000001'`, '2026-02-28 23:30:00.000001'],
      never: ['timestamptz', `'infinity'`, 'infinity'],
      span: ['interval', `'1 day 2:03'`, '1 day 02:03:00'],
      name: [
        'uuid',
        `'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'`,
        'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      ],
      list: ['text[]', `'{a,"b c"}'`, '{a,"b c"}'],
      tree: ['jsonb', `'{"b":1,"a":[1.50]}'`, '{"a": [1.50], "b": 1}'],
      short: ['code', `'x'`, 'x'],
      whole: ['positive', '5', 5],
    };
    const columns = Object.entries(types).map(([column, [type]]) => `${column} ${type}`);
    const schema = `CREATE DOMAIN positive AS bigint CHECK (VALUE > 0);
      CREATE TYPE code AS ENUM ('x'); CREATE TABLE lines (id int PRIMARY KEY, ${columns.join(', ')})`;
    const mapping = mappingOf(['id'], Object.keys(types));
    return withCapture(mapping, schema, async ({ legacy }) => {
      await legacy.run(`SET timezone = 'Asia/Tokyo'; SET datestyle = 'German';
        SET intervalstyle = 'iso_8601'; SET extra_float_digits = -3; SET bytea_output = 'escape'`);
      const values = Object.values(types).map(([, sql]) => sql);
      await legacy.run(`INSERT INTO lines VALUES (1, ${values.join(', ')})`);
      const [row] = await legacy.rows<{ image: string }>('SELECT image FROM fig_capture_lines');
      const expected = Object.entries(types).map(([column, [, , value]]) => [column, value]);
      expect(decodeRow(row?.image ?? '')).toEqual({
        id: 1,
        ...(Object.fromEntries(expected) as Row),
      });
    });
  });

  it('wakes whoever listens, again after the connection was lost', () =>
    withCapture(lines, LINES, async ({ connection, legacy }) => {
      let woken = 0;
      const watch = connection.watch(wakeChannel('lines'), () => (woken += 1));
      watch.ensure();
      await eventually(() => woken === 1);
      await legacy.run(`INSERT INTO lines VALUES ('a', 1, NULL, 1)`);
      await eventually(() => woken === 2);
      await legacy.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'fig engine listening' AND datname = current_database()`);
      await eventually(() => {
        watch.ensure();
        return woken === 3;
      });
      await legacy.run(`INSERT INTO lines VALUES ('b', 1, NULL, 1)`);
      await eventually(() => woken === 4);
      watch.close();
    }));
});

describe('a database that is not there', () => {
  it('is named without its password', async () => {
    const url = 'postgres://fig:geheim@127.0.0.1:9/shop';
    const connection = new PostgresConnection(url);
    const failed = connection.query('SELECT 1');
    await expect(failed).rejects.toThrow("postgres://fig:***@127.0.0.1:9/shop can't be reached");
    await connection.close();
    expect(new Client({ connectionString: url }).password).toBe('geheim');
  });
});
