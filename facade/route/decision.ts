import { otherSide } from '../../strangler/routing/index.ts';
import type { Flags, SideName } from '../../strangler/routing/index.ts';
import type { Asker, Capability, Routes } from '../match/index.ts';
import { keyOf } from '../match/index.ts';
import type { Ownership } from '../ownership/index.ts';
import { encodedSlash, isSafe, readingsOf } from '../request/index.ts';

/** The part of a request that decides where it goes. */
export interface Question extends Asker {
  readonly method: string;
  readonly path: string;
  /** A new random number for each request: shares of requests without a customer go by it. */
  readonly draw: string;
}

/** Everything else that decides, read once for each request. */
export interface RoutingSnapshot {
  readonly routes: Routes;
  readonly flags: Pick<Flags, 'isEnabled' | 'switch'>;
  /** @param key whose rows the request is about; a key that has moved has another owner */
  ownership(capability: Capability, key?: string): Ownership;
  /** Whether some keys of the capability have moved, as far as the facade knows. */
  isSplit(capability: Capability): boolean;
  /** Whether this key has moved. */
  isInCohort(capability: Capability, key: string | undefined): boolean;
  /** Whether all writes of this customer are known to be replicated. */
  isSettled(capability: Capability, customer: string): boolean;
  /** Whether the engine pushes routing updates. */
  updatesArePushed(): boolean;
}

/** Why a read goes where it goes. */
export type ReadReason =
  /** The flag asks for the owner. */
  | 'owner'
  /** The flag asks for the other side, and it may serve. */
  | 'flag'
  /** The other side is not fit to serve reads. */
  | 'not_ready'
  /** The request names no customer, so its own writes are unknown. */
  | 'anonymous'
  /** The customer's own write may not have reached the other side yet. */
  | 'own_write';

/** Why a read can't be compared with the other side's answer. */
export type NotComparable =
  /** Only GETs are compared: another method has no body to compare, or another meaning. */
  | 'method'
  /** The other side does not have all the data yet. */
  | 'not_ready'
  /** The read names no key while keys have different owners: no side has all the data. */
  | 'several_owners';

/** Whether the other side is asked too, and the answers compared; `off` where the flag asks for none. */
export type Shadowing = 'off' | 'compared' | NotComparable;

export type Decision =
  | { readonly kind: 'pass'; readonly capability: undefined }
  | {
      readonly kind: 'read';
      readonly capability: Capability;
      readonly side: SideName;
      readonly reason: ReadReason;
      readonly shadow: Shadowing;
    }
  | {
      readonly kind: 'write';
      /** Whose route this is; undefined for a route of the monolith that touches capabilities. */
      readonly capability: Capability | undefined;
      readonly side: SideName;
      /** Every capability that this write changes. */
      readonly changes: readonly Capability[];
    };

const PASS: Decision = { kind: 'pass', capability: undefined };

/**
 * Checks a path with encoded slashes, which servers decode differently.
 * @throws Problem 400 where another reading would go elsewhere
 */
export function checkReadings({ method, path }: Question, { routes }: RoutingSnapshot): void {
  if (!path.includes('%')) return;
  const meant = routes.capabilityOf(method, path);
  for (const reading of readingsOf(path)) {
    const isSame = routes.capabilityOf(method, reading) === meant;
    const touches = isSafe(method) ? 0 : routes.touchedBy(method, reading).length;
    if (meant?.passesEncodedSlashes === true) continue;
    if (meant !== undefined || !isSame || touches > 0) throw encodedSlash();
  }
}

/** Decides where a request goes. Pure: the same question and snapshot give the same decision. */
export function decide(question: Question, snapshot: RoutingSnapshot): Decision {
  const { routes } = snapshot;
  const { method, path } = question;
  const capability = routes.capabilityOf(method, path);
  if (!isSafe(method)) {
    const touched = routes.touchedBy(method, path);
    if (capability === undefined) {
      return touched.length === 0
        ? PASS
        : { kind: 'write', capability, side: 'legacy', changes: touched };
    }
    return {
      kind: 'write',
      capability,
      side: snapshot.ownership(capability, keyOf(capability, question)).owner,
      changes: touched.includes(capability) ? touched : [capability, ...touched],
    };
  }
  return capability === undefined ? PASS : decideRead(question, capability, snapshot);
}

function decideRead(
  question: Question,
  capability: Capability,
  snapshot: RoutingSnapshot,
): Decision {
  const { customer, draw } = question;
  const { flags, ownership, isSettled } = snapshot;
  const { owner, replicaReady } = ownership(capability, keyOf(capability, question));
  const asker = customer === undefined ? { draw } : { userId: customer };
  const wanted: SideName = flags.isEnabled(capability.flags.reads, asker) ? 'extracted' : 'legacy';
  // The flag first: a read that is not shadowed needs no reason.
  const shadow = flags.isEnabled(capability.flags.shadow, { draw })
    ? (whyNotComparable(question, capability, snapshot) ?? 'compared')
    : 'off';
  const reason = reasonFor();
  const side = reason === 'flag' ? otherSide(owner) : owner;
  return { kind: 'read', capability, side, reason, shadow };

  function reasonFor(): ReadReason {
    if (wanted === owner) return 'owner';
    if (!replicaReady) return 'not_ready';
    if (!capability.replicated) return 'flag';
    if (customer === undefined) return 'anonymous';
    return isSettled(capability, customer) ? 'flag' : 'own_write';
  }
}

/** Why a read cannot be compared; undefined where both sides must give the same answer. */
export function whyNotComparable(
  question: Question,
  capability: Capability,
  snapshot: Pick<RoutingSnapshot, 'ownership' | 'isSplit'>,
): NotComparable | undefined {
  if (question.method !== 'GET') return 'method';
  const { replicaReady } = snapshot.ownership(capability, keyOf(capability, question));
  if (!replicaReady) return 'not_ready';
  return isOwnerUnknown(capability, question, snapshot) ? 'several_owners' : undefined;
}

/** The first of the capabilities that a handover is about to move: its writes wait. */
export function firstMoving(
  changes: readonly Capability[],
  asker: Asker,
  { ownership }: Pick<RoutingSnapshot, 'ownership'>,
): Capability | undefined {
  return changes.find((capability) => ownership(capability, keyOf(capability, asker)).holding);
}

/**
 * Whether the cached owner may be stale and a read would show it: the customer has just written, and
 * ownership is moving or no updates are pushed. (A write on another route may have reached a new owner
 * unseen.) A request without a key is always in doubt while some keys have moved.
 */
export function isInDoubt(
  capability: Capability,
  asker: Asker,
  snapshot: Omit<RoutingSnapshot, 'routes' | 'flags'>,
): boolean {
  if (!capability.replicated) return false;
  if (isOwnerUnknown(capability, asker, snapshot)) return true;
  const { ownership, isSettled, updatesArePushed } = snapshot;
  if (!ownership(capability, keyOf(capability, asker)).holding && updatesArePushed()) return false;
  const { customer } = asker;
  return customer === undefined || !isSettled(capability, customer);
}

/**
 * Whether a request may be about rows of several owners: it names no key, and some keys have moved. Then
 * neither side has all the data.
 */
export function isOwnerUnknown(
  capability: Capability,
  asker: Asker,
  { isSplit }: Pick<RoutingSnapshot, 'isSplit'>,
): boolean {
  if (capability.cohorts === undefined || !isSplit(capability)) return false;
  return keyOf(capability, asker) === undefined;
}
