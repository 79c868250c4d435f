import type { Knex } from 'knex';
import { isFenceTrigger } from './fence.ts';
import type { GuardOptions, NamedFence } from './fence.ts';
import * as questions from './questions.ts';
import type { Ask, FoundFence } from './questions.ts';

/** Guards the business writes of one capability that are made with knex. */
export interface KnexGuard {
  readonly capability: string;
  /**
   * Must be the first statement of every business write transaction: an answer that is decided by a read
   * (out of stock, not found) writes nothing, so no trigger would refuse it.
   * @param key whose rows are written, where single keys (customers, tenants) may move ahead of the rest
   * @throws FencedError unless this database owns the capability, or the key
   */
  assertOpen(trx: Knex, key?: string): Promise<void>;
  /**
   * Runs a business write behind the fence, in a transaction that has begun: reads the fence first, and marks
   * the transaction as one of the application's own while writes are audited.
   * @throws FencedError unless this database owns the capability, or the key
   */
  through<T>(trx: Knex, work: () => Promise<T>, key?: string): Promise<T>;
  /**
   * The epoch of the fence that has let this transaction through; each handover raises it, so that events can be
   * put in order across handovers.
   * @throws Error before the transaction has read its fence
   */
  epoch(trx: Knex): number;
  /**
   * Runs a business write in a transaction of its own, behind the fence. It commits when `work` resolves and
   * rolls back when it throws.
   * @throws FencedError unless this database owns the capability, or the key; nothing has happened then
   */
  transaction<T>(knex: Knex, work: (trx: Knex.Transaction) => Promise<T>, key?: string): Promise<T>;
}

/** Guards writes made with knex, on PostgreSQL (`pg`) and SQLite (`better-sqlite3`, `sqlite3`). */
export function knexGuard(options: GuardOptions): KnexGuard {
  const { capability } = options;
  const epochs = new WeakMap<Knex, number>();

  async function hold(trx: Knex, key?: string): Promise<FoundFence> {
    const held = isPostgres(trx) ? questions.holdOnPostgres : questions.readOnSqlite;
    const fence = questions.requireOpen(options, await held(asking(trx), capability, key));
    epochs.set(trx, fence.epoch);
    return fence;
  }

  async function through<T>(trx: Knex, work: () => Promise<T>, key?: string): Promise<T> {
    const { watch } = await hold(trx, key);
    if (watch === 0) return work();
    const mark = (value: string) => asking(trx)(questions.MARK_WATCH, [value, capability]);
    // No other transaction sees the mark: those that could wait for the end of this one.
    await mark(questions.OWN_WRITE);
    const result = await work();
    await mark(questions.WATCHED);
    return result;
  }

  return {
    capability,
    async assertOpen(trx, key) {
      await hold(trx, key);
    },
    through,
    epoch(trx) {
      const epoch = epochs.get(trx);
      if (epoch === undefined) throw new Error(`no fence of ${capability} was asked for first`);
      return epoch;
    },
    async transaction(knex, work, key) {
      try {
        return await knex.transaction(async (trx) => {
          if (!isPostgres(trx)) await takeWriteLock(trx);
          return through(trx, () => work(trx), key);
        });
      } catch (error) {
        // Rows of another key than the one that was asked for: its fence says the rest.
        if (isFenceTrigger(error)) await knex.transaction((trx) => hold(trx, key));
        throw error;
      }
    },
  };
}

/** All fences of a database, as they were a moment ago; none where no migration has touched it. */
export function knexFences(knex: Knex): Promise<readonly NamedFence[]> {
  const list = isPostgres(knex) ? questions.listOnPostgres : questions.listOnSqlite;
  return list(asking(knex));
}

function isPostgres(knex: Knex): boolean {
  return (knex.client as { dialect: string }).dialect === 'postgresql';
}

function asking(knex: Knex): Ask {
  return async (sql, values = []) => {
    const answer = (await knex.raw(sql, values)) as readonly object[] | { rows: readonly object[] };
    return 'rows' in answer ? answer.rows : answer;
  };
}

/**
 * knex begins a transaction on SQLite without the write lock. One that reads the fence first and writes later
 * would be refused with SQLITE_BUSY_SNAPSHOT when the engine has committed in between.
 */
async function takeWriteLock(trx: Knex): Promise<void> {
  try {
    await trx.raw(questions.TAKE_WRITE_LOCK);
  } catch (error) {
    if (!questions.hasNoFences(error)) throw error;
  }
}
