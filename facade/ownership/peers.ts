import type { Capability } from '../match/index.ts';

/** Other workers at the same port, which must know who writes before that write is answered. */
export interface Peers {
  /** @returns when all of them know; undefined where there are none to be told */
  begin(changes: readonly Capability[], customer: string): Promise<void> | undefined;
  end(changes: readonly Capability[], customer: string): void;
}

/** A facade that is alone. */
export const NO_PEERS: Peers = {
  begin: () => undefined,
  end: () => undefined,
};
