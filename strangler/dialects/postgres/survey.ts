import { Client } from 'pg';
import type { Cloud, Survey, SurveyedColumn, SurveyedTable, Writer } from '../../assess/survey.ts';
import { errorText } from '../../../chassis/index.ts';
import { listedIn } from './check-list.ts';
import { unreachable } from './errors.ts';

interface ServerRow {
  readonly version: string;
  readonly database: string;
  readonly user: string;
  readonly superuser: boolean;
  readonly roles: readonly string[];
  /** ms since 1970, as text. */
  readonly since: string | null;
}

const SERVER = `SELECT current_setting('server_version') AS version, current_database() AS database,
  quote_ident(current_user) AS user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
  ARRAY(SELECT rolname::text FROM pg_roles WHERE rolname IN ('rds_superuser', 'cloudsqlsuperuser', 'azure_pg_admin')) AS roles,
  (SELECT floor(extract(epoch FROM stats_reset) * 1000)::text FROM pg_stat_database WHERE datname = current_database()) AS since`;

const CLOUDS: Readonly<Record<string, Cloud>> = {
  rds_superuser: 'rds',
  cloudsqlsuperuser: 'cloudsql',
  azure_pg_admin: 'azure',
};

/** What comes with PostgreSQL, with an extension, or with Fig is nobody's business. */
const TABLES = `
  SELECT c.relname AS name, n.nspname AS schema, pg_table_is_visible(c.oid) AS visible, c.relkind AS kind,
    c.relispartition AS part, coalesce(s.n_live_tup, nullif(c.reltuples, -1))::float8 AS live,
    nullif(c.reltuples, -1)::float8 AS estimated, pg_total_relation_size(c.oid)::float8 AS bytes,
    c.relrowsecurity AS secured, (s.n_tup_ins + s.n_tup_upd + s.n_tup_del)::float8 AS written,
    (SELECT coalesce(json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
        'plain', format_type(b.oid, CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END),
        'nullable', NOT a.attnotnull, 'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
        'generated', a.attgenerated <> '', 'identity', a.attidentity,
        'sequence', pg_get_serial_sequence(quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname),
        'labels', (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = b.oid),
        'seen', CASE WHEN b.typname IN ('text', 'varchar', 'bpchar') THEN (SELECT v.most_common_vals::text::text[]
          FROM pg_stats v WHERE v.schemaname = n.nspname AND v.tablename = c.relname AND v.attname = a.attname
            AND v.n_distinct BETWEEN 2 AND 12 AND array_length(v.most_common_freqs, 1) = v.n_distinct) END)
      ORDER BY a.attnum), '[]')
      FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    (SELECT coalesce(json_agg(json_build_object('primary', i.indisprimary, 'unique', i.indisunique AND i.indpred IS NULL,
        'constraint', k.oid IS NOT NULL, 'sql', pg_get_indexdef(i.indexrelid),
        'columns', (SELECT coalesce(json_agg(coalesce(a.attname, '') ORDER BY u.nr), '[]')
          FROM unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY u (attnum, nr)
          LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.attnum AND u.attnum > 0)) ORDER BY i.indexrelid), '[]')
      FROM pg_index i LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u')
      WHERE i.indrelid = c.oid AND i.indisvalid) AS indexes,
    (SELECT coalesce(json_agg(json_build_object('type', k.contype, 'sql', pg_get_constraintdef(k.oid),
        'columns', (SELECT coalesce(json_agg(a.attname ORDER BY u.nr), '[]') FROM unnest(k.conkey) WITH ORDINALITY u (attnum, nr)
          JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum),
        'parent', (SELECT p.relname FROM pg_class p WHERE p.oid = k.confrelid),
        'parentColumns', (SELECT coalesce(json_agg(a.attname ORDER BY u.nr), '[]') FROM unnest(k.confkey) WITH ORDINALITY u (attnum, nr)
          JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum),
        'onDelete', CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'r' THEN 'RESTRICT' WHEN 'n' THEN 'SET NULL'
          WHEN 'd' THEN 'SET DEFAULT' ELSE 'NO ACTION' END) ORDER BY k.oid), '[]')
      FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('f', 'c')) AS constraints,
    (SELECT coalesce(json_agg(json_build_object('name', g.tgname, 'sql', pg_get_triggerdef(g.oid)) ORDER BY g.tgname), '[]')
      FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgname NOT LIKE 'fig\\_%') AS triggers
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND n.nspname NOT LIKE 'pg\\_%' AND c.relname NOT LIKE 'fig\\_%'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
  ORDER BY n.nspname, c.relname`;

interface TableRow {
  readonly name: string;
  readonly schema: string;
  readonly visible: boolean;
  readonly kind: string;
  readonly part: boolean;
  readonly live: number | null;
  readonly estimated: number | null;
  readonly bytes: number;
  readonly secured: boolean;
  readonly written: number | null;
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly plain: string;
    readonly nullable: boolean;
    readonly default: string | null;
    readonly generated: boolean;
    readonly identity: string;
    readonly sequence: string | null;
    readonly labels: readonly string[] | null;
    readonly seen: readonly string[] | null;
  }[];
  readonly indexes: readonly {
    readonly primary: boolean;
    readonly unique: boolean;
    readonly constraint: boolean;
    readonly sql: string;
    readonly columns: readonly string[];
  }[];
  readonly constraints: readonly {
    readonly type: 'f' | 'c';
    readonly sql: string;
    readonly columns: readonly string[];
    readonly parent: string | null;
    readonly parentColumns: readonly string[];
    readonly onDelete: string;
  }[];
  readonly triggers: readonly { readonly name: string; readonly sql: string }[];
}

/**
 * Reads what a database says of itself, in transactions that can't write.
 * @param url of a PostgreSQL database
 * @throws UnreachableError
 */
export async function surveyPostgres(url: string): Promise<Survey> {
  const client = new Client({ connectionString: url, application_name: 'fig' });
  try {
    await client.connect();
  } catch (error) {
    throw unreachable(url, error);
  }
  try {
    await client.query('SET default_transaction_read_only = on');
    const { rows: servers } = await client.query<ServerRow>(SERVER);
    const [server] = servers as [ServerRow];
    const { rows } = await client.query<TableRow>(TABLES);
    const since = server.since === null ? null : Number(server.since);
    const tables = rows.map((row) => tableOf(row, since));
    const { writers, unseen } = await writersOf(client, tables);
    const [role] = server.roles;
    return {
      server: `PostgreSQL ${server.version.split(' ')[0]}`,
      database: server.database,
      user: server.user,
      superuser: server.superuser,
      cloud: role === undefined ? null : (CLOUDS[role] ?? null),
      tables,
      writers,
      unseen,
    };
  } finally {
    await client.end();
  }
}

function tableOf(row: TableRow, since: number | null): SurveyedTable {
  const checks = row.constraints.filter(({ type }) => type === 'c');
  const rows = row.live === 0 ? row.estimated : row.live;
  return {
    name: row.name,
    schema: row.schema,
    visible: row.visible,
    kind: kindOf(row),
    rows: rows ?? (row.kind === 'r' && row.bytes === 0 ? 0 : null),
    bytes: row.bytes,
    columns: row.columns.map((column) => columnOf(column, checks)),
    primaryKey: row.indexes.find(({ primary }) => primary)?.columns ?? [],
    uniques: row.indexes
      .filter(({ unique, primary, columns }) => unique && !primary && !columns.includes(''))
      .map(({ columns }) => columns),
    indexes: row.indexes.filter(({ constraint }) => !constraint).map(({ sql }) => sql),
    references: row.constraints.flatMap(({ type, columns, parent, parentColumns, onDelete }) =>
      type === 'f' && parent !== null ? [{ columns, parent, parentColumns, onDelete }] : [],
    ),
    checks: checks.map(({ columns, sql }) => ({ columns, sql })),
    triggers: row.triggers,
    rowSecurity: row.secured,
    written: row.written === null ? null : { rows: row.written, since },
  };
}

function kindOf({ kind, part }: TableRow): SurveyedTable['kind'] {
  if (kind === 'v' || kind === 'm') return 'view';
  if (kind === 'p') return 'partitioned';
  if (kind === 'f') return 'foreign';
  return part ? 'partition' : 'table';
}

function columnOf(
  column: TableRow['columns'][number],
  checks: TableRow['constraints'],
): SurveyedColumn {
  const { name, type, plain, nullable, generated, sequence, labels, seen } = column;
  const listed = checks
    .map(({ sql }) => listedIn(sql, name))
    .find((list) => list !== null && list.every((value) => typeof value === 'string'));
  return {
    name,
    type,
    plainType: plain,
    nullable,
    default: column.default,
    generated,
    identity: column.identity === 'a' ? 'always' : column.identity === 'd' ? 'default' : null,
    sequence,
    values: labels ?? listed ?? null,
    seen: seen === null ? null : [...seen].sort(),
  };
}

/** How much of a statement is shown. */
const SHOWN = 160;

/** Each way to find writers may be missing, or be denied to our user. */
const LOOKS: readonly {
  readonly kind: Writer['kind'];
  readonly what: string;
  readonly exists: string;
  readonly sql: string;
}[] = [
  {
    kind: 'job',
    what: 'jobs of pg_cron',
    exists: `to_regclass('cron.job') IS NOT NULL`,
    sql: `SELECT coalesce(jobname, 'job ' || jobid) AS name, schedule || ': ' || command AS detail FROM cron.job ORDER BY 1`,
  },
  {
    kind: 'routine',
    what: 'functions and procedures',
    exists: 'true',
    sql: `SELECT p.proname AS name, p.prosrc AS detail FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND p.proname NOT LIKE 'fig\\_%' AND p.prokind IN ('f', 'p')
        AND p.prosrc ~* '\\m(insert|update|delete|merge|truncate|copy)\\M'
        AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
      ORDER BY 1`,
  },
  {
    kind: 'statement',
    what: 'statements that were run (pg_stat_statements)',
    exists: `to_regclass('pg_stat_statements') IS NOT NULL`,
    sql: `SELECT quote_ident(pg_get_userbyid(userid)) || ', ' || sum(calls) || ' calls' AS name, query AS detail
      FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid AND d.datname = current_database()
      WHERE query ~* '^\\s*(with|insert|update|delete|merge|truncate|copy)\\M' AND query !~* 'fig_'
      GROUP BY userid, query ORDER BY sum(calls) DESC LIMIT 200`,
  },
  {
    kind: 'session',
    what: 'sessions (pg_stat_activity)',
    exists: 'true',
    sql: `SELECT coalesce(usename, '?') AS name, count(*) || ' as ' || coalesce(nullif(application_name, ''), 'an application without a name') AS detail
      FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        AND application_name NOT LIKE 'fig%' GROUP BY usename, application_name ORDER BY 1, 2`,
  },
  {
    kind: 'subscription',
    what: 'logical replication into this database',
    exists: 'true',
    sql: `SELECT subname::text AS name, 'its worker writes as a replica does' AS detail FROM pg_stat_subscription
      WHERE subid IN (SELECT oid FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()))`,
  },
];

async function writersOf(
  client: Client,
  tables: readonly SurveyedTable[],
): Promise<Pick<Survey, 'writers' | 'unseen'>> {
  const writers: Writer[] = [];
  const unseen: string[] = [];
  for (const { kind, what, exists, sql } of LOOKS) {
    try {
      const { rowCount } = await client.query(`SELECT WHERE ${exists}`);
      if (rowCount === 0) {
        unseen.push(`${what}: not installed here`);
        continue;
      }
      const { rows } = await client.query<{ name: string; detail: string }>(sql);
      for (const { name, detail } of rows) {
        const named = tables.filter((table) => mentions(detail, table.name));
        // Of a text that names no table of this database, there is nothing to say.
        if (named.length === 0 && (kind === 'routine' || kind === 'statement')) continue;
        const flat = detail.replaceAll(/\s+/g, ' ').trim();
        writers.push({
          kind,
          name,
          tables: named.map((table) => table.name),
          detail: flat.length > SHOWN ? `${flat.slice(0, SHOWN)}…` : flat,
        });
      }
    } catch (error) {
      unseen.push(`${what}: ${errorText(error)}`);
    }
  }
  return { writers, unseen };
}

function mentions(text: string, table: string): boolean {
  const escaped = table.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(String.raw`(?<![\w.])"?${escaped}"?(?!\w)`, 'i').test(
    text.replaceAll(/\bpublic\./gi, ''),
  );
}

/**
 * How many rows of each table were written until now.
 * @returns by name
 */
export async function writtenRows(url: string): Promise<ReadonlyMap<string, number>> {
  const client = new Client({ connectionString: url, application_name: 'fig' });
  try {
    await client.connect();
    const { rows } = await client.query<{ name: string; written: number }>(
      `SELECT relname AS name, (n_tup_ins + n_tup_upd + n_tup_del)::float8 AS written FROM pg_stat_user_tables`,
    );
    return new Map(rows.map(({ name, written }) => [name, written]));
  } finally {
    await client.end();
  }
}
