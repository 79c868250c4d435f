import type { Database } from 'better-sqlite3';
import { isFenceTrigger, REST } from './fence.ts';
import type { GuardOptions, NamedFence } from './fence.ts';
import {
  ALL_FENCES,
  fenceIn,
  FENCES_OF_KEY,
  hasNoFences,
  MARK_WATCH,
  namedIn,
  OWN_WRITE,
  requireOpen,
  WATCHED,
} from './questions.ts';
import type { FoundFence } from './questions.ts';

/** Guards the business writes of one capability that are made with better-sqlite3. */
export interface BetterSqlite3Guard {
  readonly capability: string;
  /**
   * Must be the first statement after BEGIN IMMEDIATE of every business write: an answer that is decided by a
   * read (out of stock, not found) writes nothing, so no trigger would refuse it.
   * @param key whose rows are written, where single keys (customers, tenants) may move ahead of the rest
   * @throws FencedError unless this database owns the capability, or the key
   */
  assertOpen(database: Database, key?: string): void;
  /**
   * Runs a business write in a transaction that holds the write lock from its start, behind the fence. It commits
   * when `work` returns and rolls back when it throws.
   * @throws FencedError unless this database owns the capability, or the key; nothing has happened then
   */
  transaction<T>(database: Database, work: () => T, key?: string): T;
}

/** Guards writes made with better-sqlite3, whose calls are synchronous. */
export function betterSqlite3Guard(options: GuardOptions): BetterSqlite3Guard {
  const { capability } = options;

  const hold = (database: Database, key?: string): FoundFence =>
    requireOpen(options, fenceIn(rowsOf(database, FENCES_OF_KEY, capability, key ?? REST), key));

  function through<T>(database: Database, work: () => T, key?: string): T {
    const { watch } = hold(database, key);
    if (watch === 0) return work();
    const mark = (value: string) => database.prepare(MARK_WATCH).run(value, capability);
    mark(OWN_WRITE);
    const result = work();
    mark(WATCHED);
    return result;
  }

  return {
    capability,
    assertOpen(database, key) {
      hold(database, key);
    },
    transaction(database, work, key) {
      try {
        return database.transaction(() => through(database, work, key)).immediate();
      } catch (error) {
        // Rows of another key than the one that was asked for: its fence says the rest.
        if (isFenceTrigger(error)) hold(database, key);
        throw error;
      }
    },
  };
}

/** All fences of a database, as they were a moment ago; none where no migration has touched it. */
export function betterSqlite3Fences(database: Database): readonly NamedFence[] {
  return namedIn(rowsOf(database, ALL_FENCES));
}

function rowsOf(database: Database, sql: string, ...values: readonly string[]): readonly object[] {
  try {
    return database.prepare(sql).all(...values) as readonly object[];
  } catch (error) {
    if (hasNoFences(error)) return [];
    throw error;
  }
}
