import type { Database, Transaction } from './database.ts';
import { FencedError, isFenceTrigger } from './fence.ts';
import type { FenceGuard } from './fence.ts';

/**
 * Runs a business write of a capability: a transaction that asks the fence before anything else.
 * @throws FencedError when this database does not own the capability; nothing has happened then
 */
export async function ownerTransaction<T>(
  database: Database,
  guard: FenceGuard,
  work: (trx: Transaction) => Promise<T>,
): Promise<T> {
  try {
    return await database.transaction(async (trx) => {
      await guard.assertOpen(trx);
      return work(trx);
    });
  } catch (error) {
    // A trigger spoke although the guard let us in: the write went to a table of another capability.
    if (isFenceTrigger(error)) {
      throw new FencedError(guard.capability, { state: 'closed', epoch: 0 });
    }
    throw error;
  }
}
