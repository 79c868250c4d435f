import { setTimeout as delay } from 'node:timers/promises';
import knex from 'knex';
import type { Knex } from 'knex';
import { types } from 'pg';
import { backoff, jittered } from './backoff.ts';

const CONNECTIONS = 10;
const CONNECT_MS = 10_000;
/** How long a statement waits for a lock, as long as on SQLite. */
const LOCK_MS = 10_000;
/** How long a transaction may do nothing, such as that of a process that is paused, before others need not wait for it. */
const IDLE_MS = 10_000;
const ALONE = `SELECT pg_advisory_xact_lock(hashtextextended('fig alone', 0))`;

/** A transaction that has to be run again: serialization_failure, deadlock_detected, unique_violation. */
const RUN_AGAIN = new Set(['40001', '40P01', '23505']);
const RUNS = 5;

const silent = (): void => undefined;

/** Opens connections to a PostgreSQL database, at the first use. */
export function connectPostgres(url: string): Knex {
  return knex({
    client: 'pg',
    connection: {
      connectionString: url,
      connectionTimeoutMillis: CONNECT_MS,
      lock_timeout: LOCK_MS,
      idle_in_transaction_session_timeout: IDLE_MS,
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
 * Runs `work` in a transaction beside those of others. Each of its statements sees all that was committed before it, so
 * `work` locks the rows that it decides by. What two transactions have both found missing, a unique key lets only one of
 * them write; the other one, and one that met a deadlock, is run again and finds it.
 */
export async function transact<T>(
  connection: Knex,
  work: (trx: Knex.Transaction) => Promise<T>,
): Promise<T> {
  for (let run = 1; ; run += 1) {
    try {
      return await connection.transaction(work, { isolationLevel: 'read committed' });
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (run === RUNS || !RUN_AGAIN.has(String(code))) throw error;
      await delay(jittered(backoff(run, { firstMs: 5, longestMs: 100 })));
    }
  }
}

/** The same, while no other transaction of this kind runs in the database. */
export function transactAlone<T>(
  connection: Knex,
  work: (trx: Knex.Transaction) => Promise<T>,
): Promise<T> {
  return transact(connection, async (trx) => {
    await trx.raw(ALONE);
    return work(trx);
  });
}
