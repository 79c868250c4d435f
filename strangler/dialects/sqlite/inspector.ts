import type Database from 'better-sqlite3';
import type { Statement } from 'better-sqlite3';
import { openSqliteFile, sqliteFile } from '../../../chassis/index.ts';
import type { ForeignTrigger, SideInspector } from '../../check/inspector.ts';
import { attempt } from '../../check/step.ts';
import type { Step } from '../../check/step.ts';
import { imageColumnsOf, keyColumnsOf, secretColumnsOf } from '../../mapping/index.ts';
import type { Mapping, MappingProblem, Pair, Row, SqlValue } from '../../mapping/index.ts';
import type { SideName } from '../../../routing/side.ts';
import { ColumnTypes, probesOf } from './column-types.ts';
import { installStatements } from './install.ts';
import { addFunctions } from './connection.ts';
import { exactSelect, readExactly } from './exact-read.ts';
import { filterSql } from './filter-sql.ts';
import { usableSql } from './row-reader.ts';
import {
  checkSchema,
  foldedColumns,
  foreignTriggers,
  freeColumns,
  uniqueColumns,
} from './schema.ts';
import { name, plain } from './values.ts';

interface Column {
  readonly type: string;
  readonly nullable: boolean;
}

interface Table {
  readonly columns: ReadonlyMap<string, Column>;
  readonly strict: boolean;
  /** Columns whose types leave numbers as they are. */
  readonly free: ReadonlySet<string>;
  readonly sql: string;
}

/** Looks at one side's SQLite database over a connection that can't write. */
export class SqliteInspector implements SideInspector {
  readonly side: SideName;
  readonly #file: string;
  readonly #db: Database.Database;
  readonly #mapping: Mapping;
  readonly #types = new ColumnTypes();
  readonly #statements = new Map<string, Statement>();
  readonly #tables = new Map<string, Table>();

  /** @param url `file:` and the path of a database that exists */
  constructor(url: string, mapping: Mapping, side: SideName) {
    this.side = side;
    this.#mapping = mapping;
    this.#file = sqliteFile(url);
    this.#db = openSqliteFile(this.#file, { readonly: true, fileMustExist: true, timeout: 1_000 });
    addFunctions(this.#db);
  }

  async problems(): Promise<readonly MappingProblem[]> {
    return checkSchema((sql) => this.#prepare(sql), this.#mapping, this.side);
  }

  async triggers(): Promise<readonly ForeignTrigger[]> {
    return foreignTriggers((sql) => this.#prepare(sql), this.#mapping, this.side);
  }

  async stored(
    table: string,
    column: string,
    values: readonly SqlValue[],
  ): Promise<readonly Step[]> {
    const { strict } = this.#table(table);
    const { type } = this.#column(table, column);
    return values.map((value) => attempt(() => this.#types.stored(type, strict, value)));
  }

  probes(table: string, column: string): readonly SqlValue[] {
    return probesOf(this.#column(table, column).type, this.#table(table).strict);
  }

  listed(table: string, column: string): readonly SqlValue[] | null {
    return listedIn(this.#table(table).sql, column);
  }

  isFormed(): boolean {
    return false;
  }

  isNullable(table: string, column: string): boolean {
    return this.#column(table, column).nullable;
  }

  uniqueColumns(table: string): readonly (readonly string[])[] {
    return uniqueColumns((sql) => this.#prepare(sql), table);
  }

  foldedColumns(table: string): readonly (readonly string[])[] {
    return foldedColumns((sql) => this.#prepare(sql), table);
  }

  /** SQLite asks for each row. */
  lateColumns(): readonly (readonly string[])[] {
    return [];
  }

  async count(table: string): Promise<number> {
    return this.#prepare(`SELECT count(*) FROM ${name(table)}`)
      .pluck()
      .get() as number;
  }

  async countWithoutKey(table: string): Promise<number> {
    const usable = this.#key(table).map((column) => usableSql(column));
    return this.#prepare(`SELECT count(*) FROM ${name(table)} WHERE NOT (${usable.join(' AND ')})`)
      .pluck()
      .get() as number;
  }

  async rows(table: string, after: Row | null, limit: number): Promise<readonly Row[]> {
    const key = this.#key(table);
    const present = key.map((column) => usableSql(column));
    const later =
      after === null ? [] : [`(${key.join(', ')}) > (${key.map(() => '?').join(', ')})`];
    const columns = [
      ...imageColumnsOf(this.#mapping, this.side, table),
      ...secretColumnsOf(this.#mapping, this.side, table),
    ];
    const select = exactSelect(
      columns,
      `FROM ${name(table)} WHERE ${[...present, ...later].join(' AND ')}
       ORDER BY ${key.join(', ')} LIMIT ?`,
      this.#table(table).free,
    );
    const found = readExactly((sql) => this.#prepare(sql), select, [
      ...this.#keyOf(table, after),
      limit,
    ]);
    return found.map((values) => rowOf(columns, values));
  }

  async duplicate(pair: Pair, columns: readonly string[]): Promise<Row | undefined> {
    const group = columns.map((column) => name(column)).join(', ');
    const present = columns.map((column) => `${name(column)} IS NOT NULL`);
    const found = this.#prepare(
      `SELECT ${group} FROM ${name(pair[this.side].table)}
       WHERE ${[filterSql(pair, this.side), ...present].join(' AND ')}
       GROUP BY ${group} HAVING count(*) > 1 LIMIT 1`,
    )
      .raw()
      .safeIntegers()
      .get() as unknown[] | undefined;
    return (
      found &&
      rowOf(
        columns,
        found.map((value) => plain(value)),
      )
    );
  }

  async creates(): Promise<readonly string[]> {
    return installStatements((sql) => this.#prepare(sql), this.#mapping, this.side);
  }

  grants(): readonly string[] {
    return [
      `read and write ${this.#file}, and create files beside it (-wal, -shm): ` +
        'SQLite has no users, only files',
    ];
  }

  async close(): Promise<void> {
    this.#types.close();
    this.#db.close();
  }

  #prepare(sql: string): Statement {
    const statement = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #key(table: string): readonly string[] {
    return keyColumnsOf(this.#mapping, this.side, table).map((column) => name(column));
  }

  #keyOf(table: string, row: Row | null): readonly SqlValue[] {
    if (row === null) return [];
    return keyColumnsOf(this.#mapping, this.side, table).map((key) => row[key] ?? null);
  }

  #column(table: string, column: string): Column {
    return this.#table(table).columns.get(column) ?? { type: '', nullable: true };
  }

  #table(table: string): Table {
    const known = this.#tables.get(table) ?? this.#inspect(table);
    this.#tables.set(table, known);
    return known;
  }

  #inspect(table: string): Table {
    const columns = this.#prepare('SELECT name, type, "notnull", pk FROM pragma_table_info(?)').all(
      table,
    ) as { name: string; type: string; notnull: number; pk: number }[];
    const rowid = columns.filter(({ pk }) => pk > 0).length === 1;
    const facts = columns.map(({ name: column, type, notnull, pk }): [string, Column] => [
      column,
      { type, nullable: notnull === 0 && !(pk > 0 && rowid && /^INTEGER$/i.test(type)) },
    ]);
    const strict = this.#prepare('SELECT strict FROM pragma_table_list WHERE name = ?')
      .pluck()
      .get(table);
    const sql = this.#prepare(`SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?`)
      .pluck()
      .get(table) as string | undefined;
    const free = freeColumns((text) => this.#prepare(text), table);
    return { columns: new Map(facts), strict: strict === 1, free, sql: sql ?? '' };
  }
}

function rowOf(columns: readonly string[], values: readonly SqlValue[]): Row {
  return Object.fromEntries(columns.map((column, index) => [column, values[index] ?? null]));
}

/** The values in `CHECK (column IN ('a', 'b'))`, where the table says exactly that. */
function listedIn(sql: string, column: string): readonly SqlValue[] | null {
  const quoted = column.replaceAll(/[^\w]/g, (letter) => `\\${letter}`);
  const list = new RegExp(
    String.raw`CHECK\s*\(\s*["\x60\[]?${quoted}["\x60\]]?\s+IN\s*\(([^()]*)\)\s*\)`,
    'i',
  ).exec(sql)?.[1];
  if (list === undefined) return null;
  const values = [...list.matchAll(/'((?:[^']|'')*)'|(-?\d+)/g)];
  return values.map(([, text, number]) =>
    text === undefined ? Number(number) : text.replaceAll("''", "'"),
  );
}
