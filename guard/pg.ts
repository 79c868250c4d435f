import type { ClientBase, Pool } from 'pg';
import { isFenceTrigger } from './fence.ts';
import type { GuardOptions, NamedFence } from './fence.ts';
import { holdOnPostgres, listOnPostgres, requireOpen } from './questions.ts';
import type { Ask } from './questions.ts';

/** Guards the business writes of one capability that are made with pg. */
export interface PgGuard {
  readonly capability: string;
  /**
   * Must be the first statement after BEGIN of every business write: an answer that is decided by a read
   * (out of stock, not found) writes nothing, so no trigger would refuse it.
   * @param key whose rows are written, where single keys (customers, tenants) may move ahead of the rest
   * @throws FencedError unless this database owns the capability, or the key
   */
  assertOpen(client: ClientBase, key?: string): Promise<void>;
  /**
   * Runs a business write in a transaction on a client of the pool, behind the fence. It commits when `work`
   * resolves and rolls back when it throws.
   * @throws FencedError unless this database owns the capability, or the key; nothing has happened then
   */
  transaction<T>(pool: Pool, work: (client: ClientBase) => Promise<T>, key?: string): Promise<T>;
}

/** Guards writes made with pg. */
export function pgGuard(options: GuardOptions): PgGuard {
  const { capability } = options;
  const assertOpen: PgGuard['assertOpen'] = async (client, key) => {
    requireOpen(options, await holdOnPostgres(asking(client), capability, key));
  };
  return {
    capability,
    assertOpen,
    async transaction(pool, work, key) {
      try {
        return await inTransaction(pool, async (client) => {
          await assertOpen(client, key);
          return work(client);
        });
      } catch (error) {
        // Rows of another key than the one that was asked for: its fence says the rest.
        if (isFenceTrigger(error)) await inTransaction(pool, (client) => assertOpen(client, key));
        throw error;
      }
    },
  };
}

/** All fences of a database, as they were a moment ago; none where no migration has touched it. */
export function pgFences(pool: Pool): Promise<readonly NamedFence[]> {
  return listOnPostgres(asking(pool));
}

function asking(client: Pick<ClientBase, 'query'>): Ask {
  return async (sql, values = []) => {
    let number = 0;
    const numbered = sql.replaceAll('?', () => `$${(number += 1)}`);
    const { rows } = await client.query<object>(numbered, [...values]);
    return rows;
  };
}

async function inTransaction<T>(pool: Pool, work: (client: ClientBase) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((reason: Error) => (broken = reason));
    throw error;
  } finally {
    // A client that can't roll back is not lent again.
    client.release(broken);
  }
}
