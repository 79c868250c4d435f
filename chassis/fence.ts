import { dialectOfConnection } from './database.ts';
import type { Database, Knex, Transaction } from './database.ts';
import { holdFence, readFence, REST } from './fence-rows.ts';
import type { Fence, FenceState, FoundFence } from './fence-rows.ts';

/**
 * A business write reached a database that does not own the capability, and had no effect.
 * `closed`: a handover is under way, or this database never was the owner. `ceded`: the other side owns it.
 * `key` is set where the refused key has a fence of its own, such as one customer who moved first.
 */
export class FencedError extends Error {
  override readonly name = 'FencedError';
  readonly capability: string;
  readonly state: FenceState;
  readonly epoch: number;
  readonly key: string | undefined;

  constructor(capability: string, fence: Fence, key?: string) {
    const what = key === undefined ? capability : `${capability} of ${JSON.stringify(key)}`;
    super(`${what} is ${fence.state} here at epoch ${fence.epoch}`);
    this.key = key;
    this.capability = capability;
    this.state = fence.state;
    this.epoch = fence.epoch;
  }
}

/**
 * Guards the writes of a capability. `key` names whose rows a write changes, where single keys may have
 * moved: a key without a fence of its own has the fence of the capability.
 */
export interface FenceGuard {
  readonly capability: string;
  /**
   * Must be the first statement of every business write transaction: an answer that is decided by a read
   * (out of stock, not found) writes nothing, so no trigger would refuse it.
   * @throws FencedError unless this database owns the capability, or the key
   */
  assertOpen(trx: Transaction, key?: string): Promise<void>;
  /**
   * Runs a business write behind the fence: reads the fence first, and marks the transaction as one of the
   * application's own while writes are audited.
   * @throws FencedError unless this database owns the capability, or the key
   */
  through<T>(trx: Transaction, work: () => Promise<T>, key?: string): Promise<T>;
  /** Of the fence that has let this transaction through; epochs grow with each handover. */
  epoch(trx: Transaction): number;
  /** Whether this database owned it a moment ago; a hint, never a permission. */
  looksOpen(database: Database, key?: string): Promise<boolean>;
  /**
   * Narrows a query to rows that this database owned a moment ago; a hint, never a permission.
   * @param column of the query's table: whose a row is
   */
  openHere(connection: Knex, column: string): Promise<(query: Knex.QueryBuilder) => void>;
}

/** Values of `fig_fence.watch`: writes are audited; and this transaction is the application's own. */
const WATCHED = 1;
const OWN_WRITE = 2;

interface GuardOptions {
  readonly capability: string;
  /**
   * What a database without a fence means: `open` for a monolith that no migration has touched,
   * `closed` for a service that has not been handed anything yet.
   */
  readonly whenAbsent: 'open' | 'closed';
}

/** Guards the business writes of one capability in one database. */
export function createFenceGuard({ capability, whenAbsent }: GuardOptions): FenceGuard {
  const absent: FoundFence = { state: whenAbsent, epoch: 0 };
  /** By transaction; on SQLite all have one object, and take turns. */
  const epochs = new WeakMap<Transaction, number>();

  async function ask(trx: Transaction, key?: string): Promise<FoundFence> {
    const held = dialectOfConnection(trx) === 'postgres' ? holdFence : readFence;
    const fence = (await held(trx, capability, key)) ?? absent;
    if (fence.state !== 'open') throw new FencedError(capability, fence, fence.key);
    epochs.set(trx, fence.epoch);
    return fence;
  }

  return {
    capability,
    async assertOpen(trx, key) {
      await ask(trx, key);
    },
    async through(trx, work, key) {
      const { watch = 0 } = await ask(trx, key);
      if (watch === 0) return work();
      const mark = (value: number) =>
        trx('fig_fence').where({ capability, key: REST }).update({ watch: value });
      // No other transaction sees the mark: those that could wait for the end of this one.
      await mark(OWN_WRITE);
      const result = await work();
      await mark(WATCHED);
      return result;
    },
    epoch(trx) {
      const epoch = epochs.get(trx);
      if (epoch === undefined) throw new Error(`no fence of ${capability} was asked for first`);
      return epoch;
    },
    looksOpen: async ({ read }, key) =>
      ((await readFence(read, capability, key)) ?? absent).state === 'open',
    async openHere(connection, column) {
      if (!(await connection.schema.hasTable('fig_fence'))) {
        return (query) => void query.whereRaw(whenAbsent === 'open' ? '1 = 1' : '1 = 0');
      }
      const state = '(SELECT f.state FROM fig_fence f WHERE f.capability = ? AND f.key =';
      const values = [capability, column, capability, REST, whenAbsent];
      return (query) =>
        void query.whereRaw(`coalesce(${state} ??), ${state} ?), ?) = 'open'`, values);
    },
  };
}

/** Whether a fence trigger raised an error: a write bypassed the guard. */
export function isFenceTrigger(error: unknown): boolean {
  return error instanceof Error && /\bFENCED\b/.test(error.message);
}
