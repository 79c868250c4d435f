import type { PostgresClient } from './connection.ts';
import { text } from './values.ts';

/** Says in the database which capability something was made for, so that it can be taken out again. */
export function marking(kind: 'FUNCTION' | 'INDEX', signature: string, capability: string): string {
  return `COMMENT ON ${kind} ${signature} IS ${text(markOf(capability))}`;
}

function markOf(capability: string): string {
  return `Fig: ${capability}`;
}

/** The functions that were made for a capability, as SQL. */
export function functionsOfCapability(
  client: PostgresClient,
  capability: string,
): Promise<readonly string[]> {
  return marked(
    client,
    capability,
    `SELECT oid::regprocedure::text AS marked FROM pg_proc
    WHERE obj_description(oid, 'pg_proc') = $1`,
  );
}

/** The indexes that were made for a capability, as SQL. */
export function indexesOfCapability(
  client: PostgresClient,
  capability: string,
): Promise<readonly string[]> {
  return marked(
    client,
    capability,
    `SELECT oid::regclass::text AS marked FROM pg_class
    WHERE relkind = 'i' AND obj_description(oid, 'pg_class') = $1`,
  );
}

async function marked(
  client: PostgresClient,
  capability: string,
  sql: string,
): Promise<readonly string[]> {
  const { rows } = await client.query<{ marked: string }>(sql, [markOf(capability)]);
  return rows.map((row) => row.marked);
}
