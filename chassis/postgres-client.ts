import knex from 'knex';
import type { Knex } from 'knex';
import { types } from 'pg';

const CONNECTIONS = 10;
const CONNECT_MS = 10_000;
/** How long a statement waits for a lock, as long as on SQLite. */
const LOCK_MS = 10_000;
const ONE_WRITER = `SELECT pg_advisory_xact_lock(hashtextextended('fig write', 0))`;

const silent = (): void => undefined;

/** Opens connections to a PostgreSQL database, at the first use. */
export function connectPostgres(url: string): Knex {
  return knex({
    client: 'pg',
    connection: {
      connectionString: url,
      connectionTimeoutMillis: CONNECT_MS,
      lock_timeout: LOCK_MS,
      application_name: 'fig',
      types: { getTypeParser },
    } as Knex.PgConnectionConfig,
    pool: { min: 0, max: CONNECTIONS },
    acquireConnectionTimeout: CONNECT_MS,
    // Who asked is told by what the query throws; knex would print it a second time, as no JSON line.
    log: { warn: silent, error: silent },
  });
}

/** Counts and times fit into a number; as text, sums of them would be joined. */
function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: never) => unknown {
  const isCount = ([types.builtins.INT8] as number[]).includes(oid);
  return isCount ? Number : types.getTypeParser(oid, format);
}

/**
 * Runs `work` in a transaction that nobody else's of this kind in this database runs beside: what it
 * reads first is still true when it writes. Each of its statements sees all that was committed before.
 */
export function oneWriter<T>(
  connection: Knex,
  work: (trx: Knex.Transaction) => Promise<T>,
): Promise<T> {
  return connection.transaction(
    async (trx) => {
      await trx.raw(ONE_WRITER);
      return work(trx);
    },
    { isolationLevel: 'read committed' },
  );
}
