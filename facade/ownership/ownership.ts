import { isNewer, otherSide } from '../../strangler/routing/index.ts';
import type { RoutingState, SideName } from '../../strangler/routing/index.ts';

/** The best belief about who owns a capability. The fences decide; this only saves detours. */
export interface Ownership {
  readonly owner: SideName;
  readonly epoch: number;
  /** Whether the side that is not the owner may serve reads. */
  readonly replicaReady: boolean;
  /** Whether ownership is about to move, so that new writes had better wait a moment. */
  readonly holding: boolean;
  /** Whether anything at all is known. */
  readonly known: boolean;
  /** Whether the other side itself said that it gave ownership away. */
  readonly certain: boolean;
}

/** What one side's fence answered. */
export interface FenceAnswer {
  readonly side: SideName;
  readonly state: 'closed' | 'ceded';
  readonly epoch: number;
}

/**
 * What is known of one capability: the engine's news, and what fences were seen to say. Both come
 * late and in any order, so neither overwrites the other: the belief is derived from all of them.
 */
export interface OwnershipEvidence {
  readonly news?: RoutingState;
  /** The last side whose owner the engine named. */
  readonly lastOwner?: SideName;
  /** A side that gave ownership away: it can't own the capability again before a later epoch. */
  readonly ceded?: { readonly side: SideName; readonly epoch: number };
  /** A side between owners. */
  readonly closed?: { readonly side: SideName; readonly epoch: number };
  /** The epoch in which the owner was seen to accept writes although the engine asked to hold. */
  readonly unheldEpoch?: number;
}

export const NO_EVIDENCE: OwnershipEvidence = {};

/** @returns the same object when the state is no news */
export function withUpdate(evidence: OwnershipEvidence, news: RoutingState): OwnershipEvidence {
  if (!isNewer(news, evidence.news)) return evidence;
  const lastOwner = news.owner ?? evidence.lastOwner;
  return { ...evidence, news, ...(lastOwner === undefined ? {} : { lastOwner }) };
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
  // A side that never was the owner is closed too, and no news.
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

/** Derives the belief. Without any knowledge the owner is legacy, where everything starts. */
export function ownershipOf({
  news,
  lastOwner,
  ceded,
  closed,
  unheldEpoch,
}: OwnershipEvidence): Ownership {
  const epoch = Math.max(news?.epoch ?? 0, ceded?.epoch ?? 0);
  const known = news !== undefined || ceded !== undefined;
  const told = news?.owner ?? lastOwner ?? 'legacy';
  if (ceded && ceded.epoch >= (news?.epoch ?? 0) && news?.owner !== otherSide(ceded.side)) {
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
    news !== undefined && unheldEpoch !== epoch && (news.owner === null || news.holding);
  return {
    owner: told,
    epoch,
    replicaReady: news?.replicaReady ?? false,
    holding: moving || fenced,
    known,
    certain: false,
  };
}
