/** What a database says about a capability: `open` may write, `closed` not now, `ceded`: the other side owns it. */
export type FenceState = 'open' | 'closed' | 'ceded';

/** One database's view of who owns a capability; `epoch` grows by one with each handover. */
export interface Fence {
  readonly state: FenceState;
  readonly epoch: number;
}

/** A fence with what it is of; `key` is `*` for all keys that have none of their own. */
export interface NamedFence extends Fence {
  readonly capability: string;
  readonly key: string;
}

/** The fence of all keys that have none of their own. */
export const REST = '*';

export interface GuardOptions {
  /** As the configuration names it. */
  readonly capability: string;
  /**
   * What a database without a fence means: `open` for a monolith that no migration has touched,
   * `closed` for a service that has not been handed anything yet.
   */
  readonly whenAbsent: 'open' | 'closed';
}

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

/** Whether a fence trigger raised an error: a write touched rows that its guard did not ask for. */
export function isFenceTrigger(error: unknown): boolean {
  return error instanceof Error && /\bFENCED\b/.test(error.message);
}
