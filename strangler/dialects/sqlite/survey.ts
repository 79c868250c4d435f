import type Database from 'better-sqlite3';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { openSqliteFile } from '../../../chassis/index.ts';
import type { Survey, SurveyedColumn, SurveyedTable } from '../../assess/survey.ts';

interface ColumnRow {
  readonly name: string;
  readonly type: string;
  readonly notnull: number;
  readonly dflt_value: string | null;
  readonly pk: number;
  readonly hidden: number;
}

interface ReferenceRow {
  readonly id: number;
  readonly table: string;
  readonly from: string;
  readonly to: string | null;
  readonly on_delete: string;
}

/** Reads what a SQLite file says of itself. It counts no writes, and knows neither users nor jobs. */
export async function surveySqlite(file: string): Promise<Survey> {
  const { size } = await stat(file);
  const database = openSqliteFile(file, { readonly: true, fileMustExist: true });
  try {
    const names = database
      .prepare(
        `SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view')
           AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'fig\\_%' ESCAPE '\\' ORDER BY name`,
      )
      .all() as { name: string; type: string }[];
    const share = names.length === 0 ? 0 : Math.round(size / names.length);
    return {
      server: 'SQLite',
      database: basename(file),
      user: null,
      superuser: true,
      cloud: null,
      tables: names.map(({ name, type }) => tableOf(database, name, type, share)),
      writers: [],
      unseen: ['jobs and sessions: SQLite does not say who else opens the file'],
    };
  } finally {
    database.close();
  }
}

function tableOf(
  database: Database.Database,
  name: string,
  type: string,
  bytes: number,
): SurveyedTable {
  const all = <R>(sql: string): R[] => database.prepare(sql).all(name) as R[];
  const columns = all<ColumnRow>('SELECT * FROM pragma_table_xinfo(?)');
  const indexes = all<{ name: string; unique: number; origin: string; partial: number }>(
    'SELECT name, "unique", origin, partial FROM pragma_index_list(?)',
  );
  const columnsOf = (index: string): string[] =>
    database.prepare('SELECT name FROM pragma_index_info(?)').pluck().all(index) as string[];
  return {
    name,
    schema: 'main',
    visible: true,
    kind: type === 'view' ? 'view' : 'table',
    rows: database
      .prepare(`SELECT count(*) FROM "${name.replaceAll('"', '""')}"`)
      .pluck()
      .get() as number,
    bytes,
    columns: columns.map(columnOf),
    primaryKey: columns
      .filter(({ pk }) => pk > 0)
      .sort((left, right) => left.pk - right.pk)
      .map((column) => column.name),
    uniques: indexes
      .filter(({ unique, origin, partial }) => unique === 1 && origin !== 'pk' && partial === 0)
      .map((index) => columnsOf(index.name)),
    indexes: [],
    references: referencesOf(all<ReferenceRow>('SELECT * FROM pragma_foreign_key_list(?)')),
    checks: [],
    triggers: all<{ name: string; sql: string }>(
      `SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?
         AND name NOT LIKE 'fig\\_%' ESCAPE '\\' ORDER BY name`,
    ),
    rowSecurity: false,
    written: null,
  };
}

function columnOf(column: ColumnRow): SurveyedColumn {
  const type = column.type === '' ? 'any' : column.type;
  return {
    name: column.name,
    type,
    plainType: type,
    nullable: column.notnull === 0,
    default: column.dflt_value,
    generated: column.hidden > 1,
    identity: null,
    sequence: null,
    values: null,
    seen: null,
  };
}

function referencesOf(rows: readonly ReferenceRow[]): SurveyedTable['references'] {
  return [...new Set(rows.map(({ id }) => id))].map((id) => {
    const parts = rows.filter((row) => row.id === id);
    return {
      columns: parts.map(({ from }) => from),
      parent: parts[0]?.table ?? '',
      parentColumns: parts.flatMap(({ to }) => (to === null ? [] : [to])),
      onDelete: parts[0]?.on_delete ?? '',
    };
  });
}
