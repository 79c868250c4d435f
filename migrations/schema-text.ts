import type { Database } from '../chassis/index.ts';

/** The tables and indexes of a database as SQL, in the order of their names. */
export async function schemaText(database: Database): Promise<string> {
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
