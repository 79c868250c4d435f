import type { ChildFacts } from '../../check/reference.ts';
import type { TableMade } from '../../check/schema-shape.ts';
import type { TableFacts } from '../../check/schema-check.ts';
import type { PostgresClient } from './connection.ts';
import { sqlState } from './errors.ts';
import { findingsOf, referenceFindings } from './schema-findings.ts';
import { SCHEMA } from './schema-query.ts';
import type { SchemaRow } from './schema-query.ts';
import { kindOf } from './values.ts';
import type { Kind } from './values.ts';

export interface Column {
  readonly name: string;
  /** Its type in pg_type; of a domain, the one below it. */
  readonly type: string;
  /** As it was declared: `numeric(10,2)`. */
  readonly declared: string;
  readonly kind: Kind;
  readonly nullable: boolean;
  /** Computed from other columns: nobody can write it. */
  readonly generated: boolean;
  /** Whether the database takes values for equal that differ: 'a' and 'A', say. */
  readonly folds: boolean;
  /** Whether only the database gives it values. */
  readonly always: boolean;
  /** The only values of an enumerated type; null for others. */
  readonly labels: readonly string[] | null;
}

export interface TableSchema extends TableFacts {
  readonly byName: ReadonlyMap<string, Column>;
  /** Triggers that are not Fig's. */
  readonly foreign: readonly string[];
  /** Whether rows refer to rows of other tables, or are referred to. */
  readonly refers: boolean;
  /** Of the database, as its server names it. */
  readonly encoding: string;
  readonly database: string;
  /** What else decides which rows it takes, or shows; one text each. */
  readonly rules: readonly string[];
  /** Texts of CHECK constraints. */
  readonly checks: readonly string[];
  readonly made: TableMade;
}

export type Schemas = ReadonlyMap<string, TableSchema>;

/** What the database says of tables; those that there are not are left out. */
export async function readSchemas(
  client: PostgresClient,
  tables: readonly string[],
): Promise<Schemas> {
  const found = await readRows(client, tables);
  const refers = [...found.values()].some((row) => row.refers);
  const unable = refers ? await unableToPause(client) : null;
  const children = [...found.values()]
    .flatMap(({ references }) => references)
    .filter((reference) => reference.found && !tables.includes(reference.child))
    .map(({ child }) => child);
  const strangers = children.length === 0 ? new Map() : await readRows(client, children);
  return new Map([...found].map(([table, row]) => [table, schemaOf(row, strangers, unable)]));
}

async function readRows(
  client: PostgresClient,
  tables: readonly string[],
): Promise<ReadonlyMap<string, SchemaRow>> {
  const { rows } = await client.query<{ table: string; facts: string }>(SCHEMA, [
    [...new Set(tables)],
  ]);
  return new Map(rows.map(({ table, facts }) => [table, JSON.parse(facts) as SchemaRow]));
}

function schemaOf(
  row: SchemaRow,
  strangers: ReadonlyMap<string, SchemaRow>,
  unable: string | null,
): TableSchema {
  const columns = row.columns.map((column) => ({
    ...column,
    kind: kindOf(column.type, row.encoding),
  }));
  return {
    byName: new Map(columns.map((column) => [column.name, column])),
    columns: columns.map((column) => column.name),
    nullable: nullableOf(row),
    indexes: row.indexes,
    foreign: row.triggers,
    checks: row.checks,
    made: madeOf(row),
    encoding: row.encoding,
    database: row.database,
    rules: row.rules,
    references: row.references.map(({ found, ...reference }) => {
      const child = found ? strangers.get(reference.child) : undefined;
      return { ...reference, childFacts: child && childFactsOf(child) };
    }),
    refers: row.refers,
    findings: [...findingsOf(row), ...referenceFindings(row, unable)],
  };
}

function madeOf({ oid, file, columns, parts }: SchemaRow): TableMade {
  const made = columns.map(({ name: column, nr, xmin }) => [column, [nr, xmin] as const] as const);
  return { oid, file, columns: Object.fromEntries(made), parts };
}

function nullableOf({ columns }: SchemaRow): readonly string[] {
  return columns.filter(({ nullable }) => nullable).map(({ name: column }) => column);
}

function childFactsOf(row: SchemaRow): ChildFacts {
  const { indexes, triggers, referrers, lacks, role, hidden } = row;
  // Of rows that policies hide, none would be found.
  const unseen = hidden === null ? [] : ['BYPASSRLS'];
  const all = [...lacks, ...unseen];
  return { indexes, nullable: nullableOf(row), triggers, referrers, lacks: all, role };
}

/** The user of the connection, where it may not keep the database from asking; null where it may. */
async function unableToPause(client: PostgresClient): Promise<string | null> {
  await client.query('SAVEPOINT fig_may');
  try {
    await client.query('SET LOCAL session_replication_role = origin');
    return null;
  } catch (error) {
    if (sqlState(error) !== '42501') throw error;
  } finally {
    await client.query('ROLLBACK TO fig_may; RELEASE fig_may');
  }
  const { rows } = await client.query<{ user: string }>('SELECT quote_ident(current_user) AS user');
  return rows[0]?.user ?? '';
}
