import type { Database, Knex, Transaction } from './database.ts';
import { FencedError, isFenceTrigger } from './fence.ts';
import type { FenceGuard } from './fence.ts';

/**
 * Runs a business write of a capability: a transaction that asks the fence before anything else, and
 * keeps it from closing until it ends: on SQLite by the write lock, on PostgreSQL by a lock of the fence's
 * own, which writers share. A write that a fence trigger cut is reported as the fence itself would have.
 * @param key whose rows it is about, where they belong to somebody
 * @throws FencedError when this database does not own the capability; nothing has happened then
 */
export async function ownerTransaction<T>(
  database: Database,
  guard: FenceGuard,
  work: (trx: Transaction) => Promise<T>,
  key?: string,
): Promise<T> {
  try {
    return await database.transaction((trx) => guard.through(trx, () => work(trx), key));
  } catch (error) {
    if (isFenceTrigger(error)) await database.transaction((trx) => guard.assertOpen(trx, key));
    throw error;
  }
}

/** The rows that a request is about, and whose they are. */
export interface Subject<Found> {
  look(connection: Knex): Promise<Found>;
  /** The same, and keeps others from changing it until the transaction ends. */
  hold(trx: Transaction): Promise<Found>;
  /** Undefined where there are none that belong to somebody. */
  keyOf(found: Found): string | undefined;
}

/**
 * The same for rows that belong to somebody, such as a customer. A request may name nobody, or somebody
 * else than the rows that it is about: then the rows decide, as they do for the triggers. So the fence
 * of whom it names is asked first, which is enough nearly always. Behind it the rows are read: are they
 * another's, then that one's fence has to be open, too, and they are read again behind it. If the first
 * fence was shut, they are read without it, to see whether it was the wrong one. Rows that nobody has
 * seen belong to whom the request names, or to the rest.
 * @param named whom the request names
 * @param work gets what `hold` has found behind the fence
 * @throws FencedError when this database does not own the rows; nothing has happened then
 */
export async function rowOwnerTransaction<Found, T>(
  database: Database,
  guard: FenceGuard,
  named: string | undefined,
  { look, hold, keyOf }: Subject<Found>,
  work: (trx: Transaction, found: Found) => Promise<T>,
): Promise<T> {
  const behindFenceOf = (key: string | undefined): Promise<T> =>
    ownerTransaction(
      database,
      guard,
      async (trx) => {
        const found = await hold(trx);
        const whose = keyOf(found);
        if (whose === undefined || whose === key) return work(trx, found);
        await guard.assertOpen(trx, whose);
        return work(trx, await hold(trx));
      },
      key,
    );
  try {
    return await behindFenceOf(named);
  } catch (error) {
    if (!(error instanceof FencedError)) throw error;
    const whose = keyOf(await look(database.read));
    if (whose === undefined || whose === named) throw error;
    return await behindFenceOf(whose);
  }
}
