import type { Database, Knex } from './database.ts';
import type { FenceGuard } from './fence.ts';
import type { ExpiredKey, KeyStore } from './idempotency.ts';
import type { Logger } from './log.ts';
import { ownerTransaction } from './owner-transaction.ts';

interface PurgeScope {
  readonly database: Database;
  readonly guard: FenceGuard;
  readonly keys: KeyStore;
  readonly log: Logger;
  readonly now?: () => number;
  readonly everyMs?: number;
}

/**
 * Deletes answers older than a day, now and then, while this database owns them: their deletion is
 * a change of the capability's data like any other.
 * @returns stops it
 */
export function purgeKeys(scope: PurgeScope): () => void {
  const timer = setInterval(() => {
    purge(scope).catch((err: unknown) => {
      scope.log.warn({ err }, 'could not delete old idempotency keys');
    });
  }, scope.everyMs ?? 60_000);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * Where keys are somebody's, and single ones are owned elsewhere, what is found is narrowed to what is
 * owned here. The guard is asked for the first that is found, and the triggers for each.
 */
async function purge({ database, guard, keys, now = Date.now }: PurgeScope): Promise<void> {
  const at = now();
  const expired = async (connection: Knex): Promise<readonly ExpiredKey[]> =>
    keys.cohortKey === undefined
      ? keys.expired(connection, at)
      : keys.expired(connection, at, await guard.openHere(connection, keys.cohortKey));
  if (keys.cohortKey === undefined && !(await guard.looksOpen(database))) return;
  const [first] = await expired(database.read);
  if (!first) return;
  await ownerTransaction(
    database,
    guard,
    async (trx) => keys.forget(trx, await expired(trx)),
    first.cohortKey,
  );
}
