import type { ChildFacts, IndexFacts, Reference } from '../../check/reference.ts';

/** What `SCHEMA` says of a table. */
export interface SchemaRow {
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
export const SCHEMA = `
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
