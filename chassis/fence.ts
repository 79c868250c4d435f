import type { Database, Transaction } from './database.ts';

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
  async function read(connection: Database['read']): Promise<Fence> {
    try {
      const row = (await connection('fig_fence')
        .where({ capability, key: '*' })
        .first('state', 'epoch')) as Fence | undefined;
      return row ?? { state: whenAbsent, epoch: 0 };
    } catch (error) {
      if (/no such table/.test(String(error))) return { state: whenAbsent, epoch: 0 };
      throw error;
    }
  }
  return {
    capability,
    async assertOpen(trx) {
      const fence = await read(trx);
      if (fence.state !== 'open') throw new FencedError(capability, fence);
    },
    looksOpen: async (database) => (await read(database.read)).state === 'open',
  };
}

/** Whether an error was raised by a fence trigger: a write that came past its guard. */
export function isFenceTrigger(error: unknown): boolean {
  return error instanceof Error && /\bFENCED\b/.test(error.message);
}
