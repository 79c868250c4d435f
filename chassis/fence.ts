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
  /** Whether this database owned the capability a moment ago; a hint, never a permission. */
  looksOpen(database: Database): Promise<boolean>;
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
  return {
    capability,
    async assertOpen(trx) {
      const held = dialectOfConnection(trx) === 'postgres' ? holdFence : readFence;
      const fence = (await held(trx, capability)) ?? absent;
      if (fence.state !== 'open') throw new FencedError(capability, fence);
    },
    looksOpen: async ({ read }) => ((await readFence(read, capability)) ?? absent).state === 'open',
  };
}

async function readFence(connection: Knex, capability: string): Promise<Fence | undefined> {
  // There an error would end the transaction that asks; here, asking first would take time.
  const asksFirst = dialectOfConnection(connection) === 'postgres';
  if (asksFirst && !(await connection.schema.hasTable('fig_fence'))) return undefined;
  try {
    return (await connection('fig_fence')
      .where({ capability, key: '*' })
      .first('state', 'epoch')) as Fence | undefined;
  } catch (error) {
    if (/no such table/.test(String(error))) return undefined;
    throw error;
  }
}

/** On PostgreSQL nobody else is kept out; so the fence is, until the transaction ends. */
async function holdFence(trx: Transaction, capability: string): Promise<Fence | undefined> {
  const known = trx.raw(`to_regprocedure('fig_fence_held(text)') IS NOT NULL AS known`);
  const [installed] = (await trx.select(known)) as { known: boolean }[];
  if (installed?.known !== true) return readFence(trx, capability);
  const [fence] = (await trx
    .select('state', 'epoch')
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
