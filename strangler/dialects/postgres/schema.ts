import type { ChildFacts, Finding, IndexFacts, Reference } from '../../check/reference.ts';
import type { TableMade } from '../../check/schema-shape.ts';
import type { TableFacts } from '../../check/schema-check.ts';
import { sqlState } from './connection.ts';
import type { PostgresClient } from './connection.ts';
import { kindOf, name } from './values.ts';
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

interface SchemaRow {
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly declared: string;
    readonly nullable: boolean;
    readonly generated: boolean;
    readonly folds: boolean;
    readonly always: boolean;
    readonly labels: readonly string[] | null;
    readonly nr: number;
    readonly xmin: string;
  }[];
  readonly oid: string;
  readonly file: string;
  readonly parts: Readonly<Record<string, string>>;
  readonly indexes: readonly IndexFacts[];
  readonly triggers: readonly string[];
  readonly checks: readonly string[];
  readonly rules: readonly string[];
  readonly references: readonly (Reference & { readonly found: boolean })[];
  readonly referrers: ChildFacts['referrers'];
  readonly lacks: readonly string[];
  readonly role: string;
  readonly diverted: boolean;
  /** The role from which policies hide rows; null where none do. */
  readonly hidden: string | null;
  /** Other schemas in which a table has the same name, and that sessions may find first. */
  readonly twins: readonly string[];
  readonly encoding: string;
  readonly database: string;
  readonly kind: string;
  /** Its name and its schema's, quoted where they have to be. */
  readonly table: string;
  readonly schema: string;
  /** 'p' where its rows outlive a crash. */
  readonly persistence: string;
  readonly inherits: boolean;
  readonly refers: boolean;
}

const ACTION = (letter: string): string =>
  `CASE ${letter} WHEN 'c' THEN 'CASCADE' WHEN 'r' THEN 'RESTRICT' WHEN 'n' THEN 'SET NULL'` +
  ` WHEN 'd' THEN 'SET DEFAULT' ELSE 'NO ACTION' END`;

/** The names of columns, in the order of their numbers. */
const NAMED = (relation: string, numbers: string): string =>
  `(SELECT json_agg(a.attname ORDER BY u.nr) FROM unnest(${numbers}) WITH ORDINALITY u (attnum, nr)
          JOIN pg_attribute a ON a.attrelid = ${relation} AND a.attnum = u.attnum)`;

/** Tables that other sessions may mean by the name of the table `r`. */
const TWINS = `FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relname = r.relname AND c.oid <> r.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND (n.nspname = ANY (current_schemas(false)) OR (current_setting('search_path') LIKE '%$user%'
          AND n.nspname IN (SELECT rolname FROM pg_roles)))`;

/** Of what the types of a table's columns consist, with what no other value or attribute ever had. */
const PARTS = `(WITH RECURSIVE part (oid) AS (
    SELECT a.atttypid FROM pg_attribute a
      WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    UNION SELECT x.oid FROM part p JOIN pg_type t ON t.oid = p.oid CROSS JOIN LATERAL (
      SELECT t.typbasetype AS oid WHERE t.typbasetype <> 0
      UNION ALL SELECT t.typelem WHERE t.typelem <> 0 AND t.typcategory = 'A'
      UNION ALL SELECT g.rngsubtype FROM pg_range g WHERE g.rngtypid = t.oid
      UNION ALL SELECT a.atttypid FROM pg_attribute a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) x)
  SELECT coalesce(json_object_agg(y.part, y.made ORDER BY y.part), '{}') FROM (
    SELECT 'value ' || quote_literal(e.enumlabel) || ' of type ' || format_type(e.enumtypid, NULL) AS part,
      e.oid::text AS made FROM part p JOIN pg_enum e ON e.enumtypid = p.oid
    UNION ALL SELECT 'attribute ' || quote_ident(a.attname) || ' of type ' || format_type(t.oid, NULL),
      a.attnum || ' ' || format_type(a.atttypid, a.atttypmod)
      FROM part p JOIN pg_type t ON t.oid = p.oid AND t.typtype = 'c' JOIN pg_attribute a
        ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) y)`;

/** A domain's columns hold what the type below it holds. */
const SCHEMA = `
  WITH RECURSIVE base (oid, below) AS (
    SELECT oid, oid FROM pg_type WHERE typtype <> 'd'
    UNION ALL SELECT t.oid, b.below FROM pg_type t JOIN base b ON t.typbasetype = b.oid
      WHERE t.typtype = 'd'
  ), wanted AS (
    SELECT n AS "table", to_regclass(quote_ident(n)) AS oid FROM unnest($1::text[]) n
  ), plain AS (
    SELECT c.oid FROM pg_collation c WHERE c.collname IN ('C', 'POSIX')
    UNION ALL SELECT c.oid FROM pg_collation c, pg_database d WHERE c.collname = 'default'
      AND d.datname = current_database() AND d.datcollate IN ('C', 'POSIX')
      AND to_jsonb(d) ->> 'datlocprovider' IS DISTINCT FROM 'i'
  )
  SELECT w."table", json_build_object('kind', r.relkind, 'persistence', r.relpersistence,
    'table', quote_ident(r.relname), 'schema', r.relnamespace::regnamespace::text, 'oid', r.oid::text, 'file', r.relfilenode::text, 'parts', ${PARTS}, 'encoding', getdatabaseencoding(),
    'database', current_database(),
    'inherits', r.relispartition
      OR EXISTS (SELECT FROM pg_inherits WHERE inhparent = r.oid OR inhrelid = r.oid),
    'columns', coalesce((SELECT json_agg(json_build_object('name', a.attname, 'type', t.typname,
        'folds', t.typname = 'citext' OR EXISTS (SELECT FROM pg_collation l
          WHERE l.oid = a.attcollation AND NOT l.collisdeterministic),
        'always', a.attidentity = 'a', 'nr', a.attnum, 'xmin', a.xmin::text,
        'declared', format_type(a.atttypid, a.atttypmod), 'nullable', NOT a.attnotnull,
        'generated', a.attgenerated <> '', 'labels', (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder)
          FROM pg_enum e WHERE e.enumtypid = t.oid)) ORDER BY a.attnum)
      FROM pg_attribute a JOIN base b ON b.oid = a.atttypid JOIN pg_type t ON t.oid = b.below
      WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]'),
    'indexes', coalesce((SELECT json_agg(json_build_object('unique', i.indisunique,
        'deferrable', NOT i.indimmediate,
        'columns', (SELECT json_agg(coalesce(a.attname, '') ORDER BY k.nr)
          FROM unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY k (attnum, nr)
          LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = k.attnum AND k.attnum > 0),
        'folds', (SELECT bool_or(EXISTS (SELECT FROM pg_collation l WHERE l.oid = c
            AND NOT l.collisdeterministic)) FROM unnest(i.indcollation) c)
          OR EXISTS (SELECT FROM pg_attribute a JOIN base b ON b.oid = a.atttypid
            JOIN pg_type t ON t.oid = b.below WHERE a.attrelid = r.oid AND t.typname = 'citext'
            AND a.attnum = ANY (i.indkey)),
        'binary', (SELECT bool_and(c = 0 OR c IN (SELECT oid FROM plain))
          FROM unnest(i.indcollation) c)))
      FROM pg_index i WHERE i.indrelid = r.oid AND i.indpred IS NULL AND i.indisvalid), '[]'),
    'triggers', coalesce((SELECT json_agg(g.tgname ORDER BY g.tgname) FROM pg_trigger g
      WHERE g.tgrelid = r.oid AND NOT g.tgisinternal AND g.tgname NOT LIKE 'fig\\_%'), '[]'),
    'checks', coalesce((SELECT json_agg(pg_get_constraintdef(c.oid)) FROM pg_constraint c
      WHERE c.conrelid = r.oid AND c.contype = 'c'), '[]'),
    'rules', (SELECT coalesce(json_agg(x.rule ORDER BY x.rule), '[]') FROM (
      SELECT 'unique index ' || regexp_replace(pg_get_indexdef(i.indexrelid), '^.*? USING \\w+ ', '')
        AS rule FROM pg_index i WHERE i.indrelid = r.oid AND i.indisunique AND i.indisvalid
      UNION ALL SELECT 'rule ' || pg_get_constraintdef(k.oid) FROM pg_constraint k
        WHERE k.conrelid = r.oid AND k.contype IN ('c', 'f', 'x')
      UNION ALL SELECT 'reference from ' || k.conrelid::regclass || ': ' || pg_get_constraintdef(k.oid)
        FROM pg_constraint k WHERE k.confrelid = r.oid AND k.contype = 'f' AND k.conrelid <> r.oid
      UNION ALL SELECT 'part ' || i.inhrelid::regclass FROM pg_inherits i WHERE i.inhparent = r.oid
      UNION ALL SELECT 'rewriting rule ' || w.rulename FROM pg_rewrite w
        WHERE w.ev_class = r.oid AND w.rulename <> '_RETURN'
      UNION ALL SELECT 'namesake: the engine finds the one in schema ' || r.relnamespace::regnamespace
        || ', and schema ' || n.nspname || ' has one, too' ${TWINS}
      UNION ALL SELECT 'property UNLOGGED, by which a crash empties it' WHERE r.relpersistence = 'u'
      UNION ALL SELECT 'policy that hides rows from ' || current_user WHERE row_security_active(r.oid)) x),
    'references', (SELECT coalesce(json_agg(json_build_object('child', (SELECT relname FROM pg_class WHERE oid = k.conrelid),
        'found', pg_table_is_visible(k.conrelid), 'columns', ${NAMED('k.conrelid', 'k.conkey')},
        'parent', (SELECT relname FROM pg_class WHERE oid = k.confrelid),
        'parentColumns', ${NAMED('k.confrelid', 'k.confkey')},
        'onDelete', ${ACTION('k.confdeltype')}
          || CASE WHEN to_jsonb(k) ->> 'confdelsetcols' IS NOT NULL THEN ' of some columns' ELSE '' END,
        'onUpdate', ${ACTION('k.confupdtype')}) ORDER BY k.oid), '[]')
      FROM pg_constraint k WHERE k.contype = 'f' AND r.oid IN (k.conrelid, k.confrelid)
        AND k.conrelid <> k.confrelid),
    'referrers', (SELECT coalesce(json_agg(json_build_object('child', (SELECT relname FROM pg_class WHERE oid = k.conrelid),
        'columns', ${NAMED('k.conrelid', 'k.conkey')}, 'parentColumns', ${NAMED('k.confrelid', 'k.confkey')})
        ORDER BY k.oid), '[]') FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = r.oid),
    'lacks', (SELECT coalesce(json_agg(n), '[]') FROM unnest(ARRAY['SELECT', 'UPDATE', 'DELETE']) n
      WHERE NOT has_table_privilege(r.oid, n)),
    'role', quote_ident(current_user),
    'diverted', EXISTS (SELECT FROM pg_rewrite w WHERE w.ev_class = r.oid AND w.rulename <> '_RETURN'),
    'hidden', CASE WHEN row_security_active(r.oid) THEN current_user END,
    'twins', (SELECT coalesce(json_agg(n.nspname ORDER BY n.nspname), '[]')
      ${TWINS}),
    'refers', EXISTS (SELECT FROM pg_constraint f
      WHERE f.contype = 'f' AND r.oid IN (f.conrelid, f.confrelid))) AS facts
  FROM wanted w JOIN pg_class r ON r.oid = w.oid`;

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

/** A trigger of a statement fires for the table that the statement names, and for no other. */
function findingsOf(row: SchemaRow): readonly Finding[] {
  const { kind, inherits, hidden, twins, schema, diverted } = row;
  const findings: Finding[] = [...permanence(row)];
  if (kind !== 'r' || inherits) {
    findings.push([
      'not_a_table',
      'is a view, a partition, or has parts: rows could be written past it',
    ]);
  }
  if (hidden !== null) {
    findings.push([
      'row_security',
      `has row-level security, which hides rows from ${hidden}: what it does not see would be lost; ` +
        `let it see all of them: ALTER ROLE ${name(hidden)} BYPASSRLS`,
    ]);
  }
  if (twins.length > 0) {
    findings.push([
      'ambiguous_table',
      `is also the name of a table in schema ${twins.join(', ')}, and the engine finds the one in schema ` +
        `${schema}: sessions whose search_path differs write to the other one; ` +
        'rename one of them, or say which in the URL: ?options=-csearch_path%3D...',
    ]);
  }
  if (diverted) {
    findings.push([
      'rules',
      'has rules (CREATE RULE), which make other writes of those to it; drop them',
    ]);
  }
  return findings;
}

/** Rows that are lost in a crash are deleted without any trigger, and still there on the other side. */
function permanence({ persistence, table }: SchemaRow): readonly Finding[] {
  if (persistence === 'p') return [];
  const kind = persistence === 't' ? 'temporary' : 'UNLOGGED';
  const remedy =
    persistence === 't' ? 'make it a permanent one' : `ALTER TABLE ${table} SET LOGGED`;
  return [['not_permanent', `is ${kind}: a crash empties it, which nothing captures; ${remedy}`]];
}

/**
 * Rows are applied and copied table by table, so a reference may lead to a row that is still to come.
 * Only the setting by which replicas work keeps the database from asking.
 */
function referenceFindings(
  { refers, indexes }: SchemaRow,
  unable: string | null,
): readonly Finding[] {
  if (!refers) return [];
  const late = indexes.find(({ unique, deferrable }) => unique && deferrable === true);
  if (late !== undefined) {
    return [
      [
        'deferrable',
        `has foreign keys, and a unique key (${late.columns.join(', ')}) that is only asked for at the ` +
          'end of a transaction: the setting under which rows are applied to such tables would let the ' +
          'same value pass twice; make it NOT DEFERRABLE',
      ],
    ];
  }
  if (unable === null) return [];
  return [
    [
      'references',
      'has foreign keys, which must not be asked for while rows come table by table; let ' +
        `${unable} set session_replication_role (since PostgreSQL 15: ` +
        `GRANT SET ON PARAMETER session_replication_role TO ${unable})`,
    ],
  ];
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
