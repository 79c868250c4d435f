import { tablesOf } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { Dangling } from '../../check/dangling.ts';
import type { SideName } from '../../../routing/side.ts';
import { sqlState } from './errors.ts';
import type { PostgresClient } from './connection.ts';
import { name } from './values.ts';

interface ForeignKey {
  readonly child: string;
  readonly parent: string;
  /** JSON, as it comes. */
  readonly columns: string;
  /** As SQL names them, with their schema where that is needed. */
  readonly childSql: string;
  readonly parentSql: string;
  readonly parentColumns: string;
  /** Those of both tables that our user may not read, as JSON. */
  readonly unread: string;
  readonly role: string;
  readonly [column: string]: unknown;
}

const NO_RIGHTS = '42501';

const named = (relation: string, numbers: string): string =>
  `(SELECT json_agg(a.attname ORDER BY u.nr) FROM unnest(${numbers}) WITH ORDINALITY u (attnum, nr)
      JOIN pg_attribute a ON a.attrelid = ${relation} AND a.attnum = u.attnum)`;

const FOREIGN_KEYS = `WITH moved AS (SELECT to_regclass(quote_ident(t)) AS oid FROM unnest($1::text[]) t)
  SELECT c.relname AS child, p.relname AS parent, c.oid::regclass::text AS "childSql",
      p.oid::regclass::text AS "parentSql", ${named('k.conrelid', 'k.conkey')} AS columns,
      ${named('k.confrelid', 'k.confkey')} AS "parentColumns", quote_ident(current_user) AS role,
      (SELECT coalesce(json_agg(t.oid::regclass::text), '[]') FROM unnest(ARRAY[c.oid, p.oid]) t (oid)
        WHERE NOT has_table_privilege(t.oid, 'SELECT'))::text AS unread
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid
    WHERE k.contype = 'f'
      AND (k.conrelid IN (SELECT oid FROM moved) OR k.confrelid IN (SELECT oid FROM moved))
    ORDER BY c.relname, k.oid`;

/**
 * Rows of or for tables that move which refer to rows that are gone: across the border, and among tables that
 * move where only this side declares the foreign key, which nothing enforces while changes are applied.
 */
export async function danglingRows(
  client: PostgresClient,
  mapping: Mapping,
  side: SideName,
): Promise<readonly Dangling[]> {
  const keys = await client.query<ForeignKey>(FOREIGN_KEYS, [tablesOf(mapping, side)]);
  const found: Dangling[] = [];
  for (const key of keys.rows) {
    const columns = JSON.parse(key.columns) as string[];
    const rows = await count(client, key, columns);
    if (rows === 0) continue;
    const grant = rows === null ? grantOf(key) : null;
    found.push({ child: key.child, columns, parent: key.parent, rows, grant });
  }
  return found;
}

function grantOf({ childSql, parentSql, unread, role }: ForeignKey): string {
  const tables = JSON.parse(unread) as string[];
  return `GRANT SELECT ON ${(tables.length > 0 ? tables : [childSql, parentSql]).join(', ')} TO ${role}`;
}

/** @returns null where one of both tables is not ours to read */
async function count(
  client: PostgresClient,
  { childSql, parentSql, parentColumns }: ForeignKey,
  columns: readonly string[],
): Promise<number | null> {
  const theirs = JSON.parse(parentColumns) as string[];
  const known = columns.map((column) => `c.${name(column)} IS NOT NULL`);
  const same = columns.map((column, index) => `p.${name(theirs[index] ?? '')} = c.${name(column)}`);
  await client.query('SAVEPOINT fig_dangling');
  try {
    const { rows } = await client.query<{ rows: string }>(
      `SELECT count(*) AS rows FROM ${childSql} c WHERE ${known.join(' AND ')}
         AND NOT EXISTS (SELECT FROM ${parentSql} p WHERE ${same.join(' AND ')})`,
    );
    await client.query('RELEASE fig_dangling');
    return Number(rows[0]?.rows ?? 0);
  } catch (error) {
    if (sqlState(error) !== NO_RIGHTS) throw error;
    await client.query('ROLLBACK TO fig_dangling');
    return null;
  }
}
