import { setTimeout as delay } from 'node:timers/promises';
import { ConfigurationError } from '../../../chassis/index.ts';
import { isLockTimeout } from './errors.ts';
import type { PostgresClient, PostgresConnection } from './connection.ts';

/**
 * How long an attempt to lock may wait for those who are writing, in ms. Everybody who comes later
 * waits behind it, so it is short; and made several times.
 */
export const LOCK_MS = 500;
const ATTEMPTS = 10;
/** In which those who waited behind an attempt have their turn. */
const PAUSE_MS = 200;

/**
 * Locks tables, in at most `LOCK_MS` for all of them together. A transaction that has written to one of
 * them and wants another may wait for us while we wait for it; the server then ends whoever has waited
 * for `deadlock_timeout` first. That must not be the business: so we give up in half that time. The
 * transaction's other locks are then waited for no longer than was left. Whoever calls this has locked
 * nothing yet that others may want.
 * @param relations as SQL
 */
export async function lockTables(
  client: PostgresClient,
  relations: readonly string[],
  mode: 'SHARE' | 'SHARE ROW EXCLUSIVE' | 'ACCESS EXCLUSIVE',
): Promise<void> {
  if (relations.length === 0) return;
  const { rows } = await client.query<{ ms: number }>(
    `SELECT setting::int / 2 AS ms FROM pg_settings WHERE name = 'deadlock_timeout'`,
  );
  const until = performance.now() + Math.min(LOCK_MS, rows[0]?.ms ?? LOCK_MS);
  for (const relation of relations) {
    const left = Math.max(1, Math.floor(until - performance.now()));
    await client.query(`SET LOCAL lock_timeout = ${left}; LOCK TABLE ${relation} IN ${mode} MODE`);
  }
}

/**
 * Does `work` again while others hold the tables.
 * @param failed what to say when it can't be done: 'x could not be done'
 * @throws ConfigurationError at last, which says who does
 */
export async function persistently<T>(
  connection: PostgresConnection,
  tables: readonly string[],
  failed: string,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      if (attempt === ATTEMPTS) throw await locked(connection, tables, failed, error);
    }
    await delay(PAUSE_MS);
  }
}

/** Who keeps the tables, as far as this user may see it. */
async function locked(
  connection: PostgresConnection,
  tables: readonly string[],
  failed: string,
  cause: unknown,
): Promise<ConfigurationError> {
  const { rows } = await connection.query<{ who: string }>(
    `SELECT DISTINCT format('session %s of %s (%s), in a transaction for %s s', a.pid, a.usename,
         coalesce(nullif(a.application_name, ''), a.state),
         round(extract(epoch FROM clock_timestamp() - a.xact_start))) AS who
       FROM unnest($1::text[]) n JOIN pg_locks l ON l.relation = to_regclass(quote_ident(n))
       JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.granted AND a.pid <> pg_backend_pid()`,
    [tables],
  );
  const who = rows.map((row) => `\n  ${row.who}`).join('');
  return new ConfigurationError(
    `${failed} while others work on ${tables.join(', ')}: they did not let go in any of ` +
      `${ATTEMPTS} attempts. Nothing has changed. Let these finish, or end them with ` +
      `SELECT pg_terminate_backend(number), and try again:${who || ' (gone by now)'}`,
    { cause },
  );
}
