import type { SideName } from './side.ts';

export type { SideName } from './side.ts';
export { otherSide } from './side.ts';

/**
 * What a facade needs to know of one capability's truth, as the engine saw it. Late or missing
 * news makes a facade slower, never wrong: the fences decide.
 */
export interface RoutingState {
  readonly capability: string;
  /** The side whose database accepts business writes; null between two owners. */
  readonly owner: SideName | null;
  /** Grows by one with each attempt to move ownership. */
  readonly epoch: number;
  /** Whether the side that is not the owner may serve reads: backfilled and not far behind. */
  readonly replicaReady: boolean;
  /** Whether new writes should wait a moment, since ownership is about to move. */
  readonly holding: boolean;
  /** Grows with each publication inside one epoch, so that news can't be taken for older news. */
  readonly generation: number;
  /** Keys that have a fence of their own; all others follow what is said above. */
  readonly cohorts?: readonly CohortState[];
}

/** Keys of a capability, such as customers, that are owned together, apart from the rest. */
export interface CohortState {
  readonly keys: readonly string[];
  readonly owner: SideName | null;
  readonly epoch: number;
  readonly holding: boolean;
}

/** The Redis channel, and the hash with one field a capability, that carry `RoutingState` JSON. */
export const ROUTING_CHANNEL = 'fig:routing';

/** Whether `candidate` is news compared with what is known. */
export function isNewer(candidate: RoutingState, known: RoutingState | undefined): boolean {
  if (known === undefined) return true;
  if (candidate.epoch !== known.epoch) return candidate.epoch > known.epoch;
  return candidate.generation > known.generation;
}
