import type { Database, Transaction } from './database.ts';
import { isFenceTrigger } from './fence.ts';
import type { FenceGuard } from './fence.ts';

/**
 * Runs a business write of a capability: a transaction that asks the fence before anything else.
 * The write lock is held from the start, so that no fence closes between the question and the
 * write. A write that a fence trigger cut is reported as the fence itself would have.
 * @throws FencedError when this database does not own the capability; nothing has happened then
 */
export async function ownerTransaction<T>(
  database: Database,
  guard: FenceGuard,
  work: (trx: Transaction) => Promise<T>,
): Promise<T> {
  try {
    return await database.transaction((trx) => guard.through(trx, () => work(trx)));
  } catch (error) {
    if (isFenceTrigger(error)) await database.transaction((trx) => guard.assertOpen(trx));
    throw error;
  }
}
