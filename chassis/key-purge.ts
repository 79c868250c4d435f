import type { Database } from './database.ts';
import type { FenceGuard } from './fence.ts';
import type { KeyStore } from './idempotency.ts';
import type { Logger } from './log.ts';
import { ownerTransaction } from './owner-transaction.ts';

interface PurgeOptions {
  readonly database: Database;
  readonly guard: FenceGuard;
  readonly keys: KeyStore;
  readonly log: Logger;
  readonly everyMs?: number;
}

const HOUR_MS = 60 * 60 * 1000;

/**
 * Deletes idempotency keys older than a day, every hour, while this side owns them.
 * @returns stops it
 */
export function startKeyPurge(options: PurgeOptions): () => void {
  const { log, guard, everyMs = HOUR_MS } = options;
  const timer = setInterval(() => {
    purgeKeys(options).catch((error: unknown) => {
      log.warn({ err: error, capability: guard.capability }, 'could not delete old keys');
    });
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Deletes them now, in short transactions; returns how many. */
export async function purgeKeys({
  database,
  guard,
  keys,
}: Omit<PurgeOptions, 'log'>): Promise<number> {
  if (!(await guard.looksOpen(database))) return 0;
  let purged = 0;
  for (;;) {
    const count = await ownerTransaction(database, guard, (trx) => keys.purge(trx, Date.now()));
    if (count === 0) return purged;
    purged += count;
  }
}
