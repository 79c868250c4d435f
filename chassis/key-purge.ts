import type { Database } from './database.ts';
import type { FenceGuard } from './fence.ts';
import type { KeyStore } from './idempotency.ts';
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

async function purge({ database, guard, keys, now = Date.now }: PurgeScope): Promise<void> {
  if (!(await guard.looksOpen(database))) return;
  await ownerTransaction(database, guard, (trx) => keys.purge(trx, now()));
}
