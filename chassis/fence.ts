import { dialectOfConnection } from './database.ts';
import type { Database, Knex, Transaction } from './database.ts';

export type FenceState = 'open' | 'closed' | 'ceded';

/** One database's view of who owns a capability; `epoch` grows by one with each handover. */
export interface Fence {
  readonly state: FenceState;
  readonly epoch: number;
}

/**
 * A business write reached a database that does not own the capability, and had no effect.
 * `closed`: between owners, or never the owner. `ceded`: the other side owns it.
 */
export class FencedError extends Error {
  override readonly name = 'FencedError';
  readonly capability: string;
  readonly state: FenceState;
  readonly epoch: number;

  constructor(capability: string, fence: Fence) {
    super(`${capability} is ${fence.state} here at epoch ${fence.epoch}`);
    this.capability = capability;
    this.state = fence.state;
    this.epoch = fence.epoch;
  }
}

export interface FenceGuard {
  readonly capability: string;
  /**
   * Must be the first statement of every business write transaction: a decision taken from a read
   * (out of stock, not found) is a write's answer too, and no trigger sees it.
   * @throws FencedError unless this database owns the capability
   */
  assertOpen(trx: Transaction): Promise<void>;
  /**
   * Runs a business write behind the fence: asks it first, and says to whoever watches the
   * capability's tables that this transaction comes by the door.
   * @throws FencedError unless this database owns the capability
   */
  through<T>(trx: Transaction, work: () => Promise<T>): Promise<T>;
  /** Whether this database owned the capability a moment ago; a hint, never a permission. */
  looksOpen(database: Database): Promise<boolean>;
}

/** What a watched fence's row holds, and while a transaction that came by the door runs. */
const WATCHED = 1;
const BY_THE_DOOR = 2;

interface WatchedFence extends Fence {
  readonly watch?: number;
}

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
  const absent: Fence = { state: whenAbsent, epoch: 0 };

  async function ask(trx: Transaction): Promise<WatchedFence> {
    const held = dialectOfConnection(trx) === 'postgres' ? holdFence : readFence;
    const fence = (await held(trx, capability)) ?? absent;
    if (fence.state !== 'open') throw new FencedError(capability, fence);
    return fence;
  }

  return {
    capability,
    async assertOpen(trx) {
      await ask(trx);
    },
    async through(trx, work) {
      const { watch = 0 } = await ask(trx);
      if (watch === 0) return work();
      const mark = (value: number) =>
        trx('fig_fence').where({ capability, key: '*' }).update({ watch: value });
      // Nobody else sees it: whoever could waits for the end of this transaction.
      await mark(BY_THE_DOOR);
      const result = await work();
      await mark(WATCHED);
      return result;
    },
    looksOpen: async ({ read }) => ((await readFence(read, capability)) ?? absent).state === 'open',
  };
}

async function readFence(connection: Knex, capability: string): Promise<WatchedFence | undefined> {
  // There an error would end the transaction that asks; here, asking first would take time.
  const asksFirst = dialectOfConnection(connection) === 'postgres';
  if (asksFirst && !(await connection.schema.hasTable('fig_fence'))) return undefined;
  try {
    return (await connection('fig_fence').where({ capability, key: '*' }).first()) as
      WatchedFence | undefined;
  } catch (error) {
    if (/no such table/.test(String(error))) return undefined;
    throw error;
  }
}

/**
 * On PostgreSQL nobody else is kept out; so the fence is, until the transaction ends. In the same go
 * the transaction says that it comes by the door.
 */
async function holdFence(trx: Transaction, capability: string): Promise<Fence | undefined> {
  const known = trx.raw(`to_regprocedure('fig_fence_held(text)') IS NOT NULL AS known`);
  const [installed] = (await trx.select(known)) as { known: boolean }[];
  if (installed?.known !== true) return readFence(trx, capability);
  const [fence] = (await trx
    .select('state', 'epoch', trx.raw(`set_config('fig.door', ?, true)`, [capability]))
    .from(trx.raw('fig_fence_held(?)', [capability]))) as {
    state: Fence['state'] | null;
    epoch: number;
  }[];
  return fence?.state ? { state: fence.state, epoch: fence.epoch } : undefined;
}

/** Whether an error was raised by a fence trigger: a write that came past its guard. */
export function isFenceTrigger(error: unknown): boolean {
  return error instanceof Error && /\bFENCED\b/.test(error.message);
}
