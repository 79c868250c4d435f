import { isNewer, otherSide } from '../../routing/index.ts';
import type { RoutingState, SideName } from '../../routing/index.ts';

/** Who owns a capability, as far as the facade knows. The fences decide; this only saves detours. */
export interface Ownership {
  readonly owner: SideName;
  readonly epoch: number;
  /** Whether the side that is not the owner may serve reads. */
  readonly replicaReady: boolean;
  /** Whether a handover is about to move it, so that new writes wait. */
  readonly holding: boolean;
  /** Whether anything at all is known. */
  readonly known: boolean;
  /** Whether the other side's own fence said that it gave ownership away. */
  readonly certain: boolean;
}

/** What one side's fence answered. */
export interface FenceAnswer {
  readonly side: SideName;
  readonly state: 'closed' | 'ceded';
  readonly epoch: number;
}

/**
 * What the facade has heard of one capability: the engine's updates, and answers of fences. Both arrive late
 * and in any order, so neither overwrites the other: the owner is derived from all of them.
 */
export interface OwnershipEvidence {
  readonly update?: RoutingState;
  /** The owner that the engine named last; an update may name none. */
  readonly lastOwner?: SideName;
  /** A side that gave ownership away: it can't own the capability again before a later epoch. */
  readonly ceded?: { readonly side: SideName; readonly epoch: number };
  /** A side between owners. */
  readonly closed?: { readonly side: SideName; readonly epoch: number };
  /** The epoch in which the owner was seen to accept writes although the engine asked to hold. */
  readonly unheldEpoch?: number;
}

export const NO_EVIDENCE: OwnershipEvidence = {};

/** @returns the same object when the update is not newer */
export function withUpdate(evidence: OwnershipEvidence, update: RoutingState): OwnershipEvidence {
  if (!isNewer(update, evidence.update)) return evidence;
  const lastOwner = update.owner ?? evidence.lastOwner;
  return { ...evidence, update, ...(lastOwner === undefined ? {} : { lastOwner }) };
}

/** @returns the same object when the answer says nothing new */
export function withFenceAnswer(
  evidence: OwnershipEvidence,
  answer: FenceAnswer,
): OwnershipEvidence {
  const { side, epoch } = answer;
  if (answer.state === 'ceded') {
    if (evidence.ceded && evidence.ceded.epoch >= epoch) return evidence;
    return { ...evidence, ceded: { side, epoch } };
  }
  // A side that never was the owner is closed, too: that says nothing new.
  if (ownershipOf(evidence).owner !== side) return evidence;
  if (evidence.closed && evidence.closed.epoch >= epoch) return evidence;
  const { unheldEpoch: _closedSince, ...rest } = evidence;
  return { ...rest, closed: { side, epoch } };
}

/**
 * A side accepted a write that had been held, or that the other side had fenced off at `epoch`.
 * @returns the same object when it says nothing new
 */
export function withAcceptance(
  evidence: OwnershipEvidence,
  side: SideName,
  epoch: number,
): OwnershipEvidence {
  const before = ownershipOf(evidence);
  if (before.owner !== side) {
    return { ...evidence, ceded: { side: otherSide(side), epoch: Math.max(epoch, before.epoch) } };
  }
  if (!before.holding) return evidence;
  const { closed: _reopened, ...rest } = evidence;
  return { ...rest, unheldEpoch: before.epoch };
}

/** Derives the owner. Without evidence it is legacy, where every capability starts. */
export function ownershipOf({
  update,
  lastOwner,
  ceded,
  closed,
  unheldEpoch,
}: OwnershipEvidence): Ownership {
  const epoch = Math.max(update?.epoch ?? 0, ceded?.epoch ?? 0);
  const known = update !== undefined || ceded !== undefined;
  const told = update?.owner ?? lastOwner ?? 'legacy';
  if (ceded && ceded.epoch >= (update?.epoch ?? 0) && update?.owner !== otherSide(ceded.side)) {
    return {
      owner: otherSide(ceded.side),
      epoch,
      replicaReady: false,
      holding: false,
      known,
      certain: true,
    };
  }
  const fenced = closed !== undefined && closed.side === told && closed.epoch > epoch;
  const moving =
    update !== undefined && unheldEpoch !== epoch && (update.owner === null || update.holding);
  return {
    owner: told,
    epoch,
    replicaReady: update?.replicaReady ?? false,
    holding: moving || fenced,
    known,
    certain: false,
  };
}
