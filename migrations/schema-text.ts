import { dialectOf } from '../chassis/index.ts';
import type { Database } from '../chassis/index.ts';

/** The tables and indexes of a database as SQL, in the order of their names. */
export function schemaText(database: Database): Promise<string> {
  return dialectOf(database.url) === 'sqlite' ? sqliteText(database) : postgresText(database);
}

async function sqliteText(database: Database): Promise<string> {
  const rows = (await database
    .read('sqlite_master')
    .whereNotNull('sql')
    .whereNot('name', 'like', 'sqlite_%')
    .whereNot('name', 'schema_migrations')
    .orderBy(['tbl_name', { column: 'type', order: 'desc' }, 'name'])
    .select('sql')) as { sql: string }[];
  return rows
    .map(
      ({ sql }) =>
        `${sql.replaceAll('`', '').replaceAll(/, (?=[a-zA-Z_]+ |check|primary)/g, ',\n  ')};\n`,
    )
    .join('\n');
}

/** PostgreSQL does not keep what it was told, but tells what it has made of it. */
const POSTGRES = `
  SELECT c.relname AS name,
    (SELECT string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attnotnull THEN 'NOT NULL' END, 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid)),
        E',\\n  ' ORDER BY a.attnum)
      FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    (SELECT string_agg(E',\\n  ' || pg_get_constraintdef(k.oid), ''
        ORDER BY k.contype DESC, pg_get_constraintdef(k.oid))
      FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'f', 'c'))
      AS constraints,
    (SELECT string_agg(pg_get_indexdef(i.indexrelid) || E';\\n', '' ORDER BY i.indexrelid::regclass::text)
      FROM pg_index i WHERE i.indrelid = c.oid
        AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)) AS indexes
  FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
    AND c.relname <> 'schema_migrations' ORDER BY c.relname COLLATE "C"`;

interface TableText {
  readonly name: string;
  readonly columns: string;
  readonly constraints: string | null;
  readonly indexes: string | null;
}

async function postgresText(database: Database): Promise<string> {
  const { rows } = (await database.read.raw(POSTGRES)) as { rows: TableText[] };
  return rows
    .map(
      ({ name, columns, constraints, indexes }) =>
        `CREATE TABLE "${name}" (\n  ${columns}${constraints ?? ''});\n${indexes ?? ''}`,
    )
    .join('\n');
}
