import { ConfigurationError } from '../../chassis/index.ts';
import { isLockTimeout } from './connection.ts';
import type { PostgresConnection } from './connection.ts';

/**
 * How long a change of the schema may wait for those who are writing, in ms. Everybody who comes later
 * waits behind it, so it is short; and tried several times.
 */
export const LOCK_MS = 1_000;
const ATTEMPTS = 3;

/**
 * Does `work` again while others hold the tables.
 * @throws ConfigurationError at last, which says who does
 */
export async function persistently(
  connection: PostgresConnection,
  tables: readonly string[],
  work: () => Promise<void>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      if (attempt === ATTEMPTS) throw await locked(connection, tables, error);
    }
  }
}

/** Who keeps the tables, as far as this user may see it. */
async function locked(
  connection: PostgresConnection,
  tables: readonly string[],
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
    `triggers could not be put on ${tables.join(', ')} while others work on them: each of ${ATTEMPTS} ` +
      `attempts waited ${LOCK_MS} ms, and everybody else with it. Nothing has changed. Let these ` +
      `finish, or end them with SELECT pg_terminate_backend(number), and try again:${who || ' (gone by now)'}`,
    { cause },
  );
}
