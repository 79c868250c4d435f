import type { Statement } from 'better-sqlite3';
import type { ForeignTrigger } from '../../check/inspector.ts';
import type { SideName } from '../../../routing/side.ts';
import { tablesOf } from '../../mapping/index.ts';
import type { Mapping, MappingProblem } from '../../mapping/index.ts';
import {
  checkTables,
  foldedColumnsOf,
  uniqueColumnsOf,
  withReasons,
} from '../../check/schema-check.ts';
import type { ChildFacts, IndexFacts, Reference } from '../../check/reference.ts';
import type { TableFacts } from '../../check/schema-check.ts';
import { isFree } from './column-types.ts';
import { missingRights } from './rights.ts';

/** Gives a statement of a connection. */
export type Prepare = (sql: string) => Statement;

interface ColumnRow {
  readonly name: string;
  readonly pk: number;
  readonly notnull: number;
}

/** What a database says of a table; undefined when there is none. */
function inspect(prepare: Prepare, table: string): TableFacts | undefined {
  const columns = columnsOf(prepare, table);
  if (columns.length === 0) return undefined;
  const kind = prepare(`SELECT type FROM pragma_table_list WHERE name = ? AND schema = 'main'`)
    .pluck()
    .get(table) as string | undefined;
  return {
    references: referencesWithChildren(prepare, table),
    findings:
      kind === 'table'
        ? []
        : [['not_a_table', `is a ${kind}: rows are written elsewhere, past it`]],
    columns: columns.map((column) => column.name),
    nullable: columns.filter(({ notnull }) => notnull === 0).map((column) => column.name),
    indexes: indexesOf(prepare, table),
  };
}

function columnsOf(prepare: Prepare, table: string): readonly ColumnRow[] {
  return prepare('SELECT name, pk, "notnull" FROM pragma_table_info(?)').all(table) as ColumnRow[];
}

/** Columns of a table whose types leave numbers as they are, so that 3.0 is not 3 there. */
export function freeColumns(prepare: Prepare, table: string): ReadonlySet<string> {
  const found = prepare(
    `SELECT c.name, c.type, t.strict FROM pragma_table_xinfo(?) c
       JOIN pragma_table_list t ON t.schema = 'main' AND t.name = ? COLLATE NOCASE`,
  ).all(table, table) as { name: string; type: string; strict: number }[];
  const free = found.filter(({ type, strict }) => isFree(type, strict === 1));
  return new Set(free.map(({ name: column }) => column));
}

function indexesOf(prepare: Prepare, table: string): readonly IndexFacts[] {
  const primary = columnsOf(prepare, table)
    .filter(({ pk }) => pk > 0)
    .sort((left, right) => left.pk - right.pk);
  const indexes = prepare(
    'SELECT name, "unique" AS uniq FROM pragma_index_list(?) WHERE partial = 0',
  ).all(table) as { name: string; uniq: number }[];
  const facts = indexes.map(({ name, uniq }): IndexFacts => {
    const parts = prepare('SELECT name, coll FROM pragma_index_xinfo(?) WHERE key = 1').all(
      name,
    ) as { name: string | null; coll: string }[];
    return {
      unique: uniq === 1,
      columns: parts.map((part) => part.name ?? ''),
      binary: parts.every(({ coll }) => coll === 'BINARY'),
      folds: parts.some(({ coll }) => coll !== 'BINARY'),
    };
  });
  // An INTEGER PRIMARY KEY is the table itself and has no index.
  const rowid: IndexFacts = { unique: true, columns: primary.map((c) => c.name), binary: true };
  const hasOwnIndex = facts.some(({ columns: own }) => own.join() === rowid.columns.join());
  return primary.length > 0 && !hasOwnIndex ? [...facts, rowid] : facts;
}

/**
 * Foreign keys of a table's rows, and to them; those within the table left out. SQLite compares names
 * without regard to case.
 */
export function referencesOf(prepare: Prepare, table: string): readonly Reference[] {
  return foreignKeysOf(prepare, table).filter(
    ({ child, parent }) => child.toLowerCase() !== parent.toLowerCase(),
  );
}

function foreignKeysOf(prepare: Prepare, table: string): readonly Reference[] {
  const parts = prepare(
    `SELECT s.name AS child, f.id, f."from" AS "column", f."table" AS parent,
         coalesce(p.name, f."to") AS "to", f.on_delete AS onDelete, f.on_update AS onUpdate
       FROM sqlite_schema s, pragma_foreign_key_list(s.name) f
         LEFT JOIN pragma_table_info(f."table") p
           ON lower(p.name) = lower(f."to") OR (f."to" IS NULL AND p.pk = f.seq + 1)
       WHERE s.type = 'table' AND (s.name = @table OR lower(f."table") = lower(@table))
       ORDER BY s.name, f.id, f.seq`,
  ).all({ table }) as (Pick<Reference, 'child' | 'parent' | 'onDelete' | 'onUpdate'> & {
    id: number;
    column: string;
    to: string | null;
  })[];
  const found = new Map<string, Reference & { columns: string[]; parentColumns: string[] }>();
  for (const { id, column, to, parent, ...reference } of parts) {
    const key = `${reference.child} ${id}`;
    const named = parent.toLowerCase() === table.toLowerCase() ? table : parent;
    const known = found.get(key) ?? {
      ...reference,
      parent: named,
      columns: [],
      parentColumns: [],
    };
    known.columns.push(column);
    known.parentColumns.push(to ?? '');
    found.set(key, known);
  }
  return [...found.values()];
}

/** The same, with what there is to know of those that refer to the table. */
function referencesWithChildren(prepare: Prepare, table: string): readonly Reference[] {
  return referencesOf(prepare, table).map((reference) =>
    reference.child === table
      ? reference
      : { ...reference, childFacts: childFactsOf(prepare, reference.child) },
  );
}

function childFactsOf(prepare: Prepare, child: string): ChildFacts {
  return {
    indexes: indexesOf(prepare, child),
    nullable: columnsOf(prepare, child)
      .filter(({ notnull }) => notnull === 0)
      .map(({ name }) => name),
    triggers: ownTriggers(prepare, child),
    referrers: foreignKeysOf(prepare, child).filter(
      ({ parent }) => parent.toLowerCase() === child.toLowerCase(),
    ),
    lacks: [],
    role: null,
  };
}

/** Columns of unique indexes that take more than the same for equal. */
export function foldedColumns(prepare: Prepare, table: string): readonly (readonly string[])[] {
  return foldedColumnsOf(inspect(prepare, table) ?? { columns: [], nullable: [], indexes: [] });
}

/** Columns of the table's unique indexes; expression indexes are left out. */
export function uniqueColumns(prepare: Prepare, table: string): readonly (readonly string[])[] {
  return uniqueColumnsOf(inspect(prepare, table) ?? { columns: [], nullable: [], indexes: [] });
}

/** What keeps a mapping from being used with this database. */
export function checkSchema(
  prepare: Prepare,
  mapping: Mapping,
  side: SideName,
): readonly MappingProblem[] {
  const triggers = foreignTriggers(prepare, mapping, side);
  return [
    ...checkTables(mapping, side, (table) => inspect(prepare, table), triggers),
    ...checkRights(prepare, side),
  ];
}

/** What installing needs and this process may not do, with the command that allows it. */
function checkRights(prepare: Prepare, side: SideName): readonly MappingProblem[] {
  const file = prepare(`SELECT file FROM pragma_database_list WHERE name = 'main'`).pluck().get();
  return missingRights((file as string | undefined) ?? '').map((missing) => ({
    code: 'missing_right',
    pair: null,
    message: `${side} ${missing}`,
  }));
}

/** Triggers on moved tables that are not Fig's. */
export function foreignTriggers(
  prepare: Prepare,
  mapping: Mapping,
  side: SideName,
): readonly ForeignTrigger[] {
  return tablesOf(mapping, side).flatMap((table) => {
    return withReasons(mapping, side, table, ownTriggers(prepare, table));
  });
}

/** Triggers of a table that are not Fig's. */
function ownTriggers(prepare: Prepare, table: string): readonly string[] {
  return prepare(
    `SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?
       AND name NOT LIKE 'fig\\_%' ESCAPE '\\' ORDER BY name`,
  )
    .pluck()
    .all(table) as string[];
}
