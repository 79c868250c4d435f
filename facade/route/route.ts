import { otherSide } from '../../routing/index.ts';
import type { Flags, SideName } from '../../routing/index.ts';
import type { Capability, Match, ReadMatch, Routes, WriteMatch } from '../match/index.ts';
import type { KeyOwnership, OwnershipCache, OwnWrites } from '../ownership/index.ts';
import type { RequestForm } from '../request/index.ts';

/** The part of a request that decides where it goes. */
export interface RoutedRequest {
  readonly form: Pick<RequestForm, 'method' | 'customer' | 'keys' | 'draw'>;
  readonly match: Match;
}

/** Everything else that decides, as it is at one moment: `route` reads it without a pause. */
export interface RoutingSnapshot {
  readonly routes: Routes;
  readonly flags: Pick<Flags, 'isEnabled' | 'switch'>;
  readonly ownership: Pick<OwnershipCache, 'of' | 'ofKey'>;
  readonly ownWrites: Pick<OwnWrites, 'isSettled'>;
  /** Whether the engine pushes routing updates. */
  readonly updatesArePushed: boolean;
  /** Of the ownership cache: it grows with each change. */
  readonly version: number;
}

/** A fence has refused the request; nothing has happened. */
export interface Refusal {
  readonly side: SideName;
  /** The side that refused it before that, if one has. */
  readonly before: SideName | undefined;
  /** Whether it was the fence of the capability whose route this is. */
  readonly isOwn: boolean;
  /** Whether ownership has changed since the request was routed there. */
  readonly isStale: boolean;
  /** Once the request has waited: the version of the ownership cache before that. */
  readonly waitedSince: number | undefined;
}

/** What has been done for a request already, so that it is not waited for twice. */
export interface Progress {
  /** The engine has been asked who the owner is. */
  readonly isConfirmed: boolean;
  /** A barrier has been passed, or could not be. */
  readonly isBehindBarrier: boolean;
  /** It has waited for a handover for as long as it may. */
  readonly isOutOfPatience: boolean;
  /** It came to nothing at this side, which may have carried it out, and is repeated there. */
  readonly repeatsAt: SideName | undefined;
  readonly refusal: Refusal | undefined;
  /** Whose rows it is about, as the fence of its own capability has said: the rows decide, not the client. */
  readonly rows: { readonly key: string | undefined } | undefined;
}

const REFUSED_BY_BOTH: RouteRefusal = { code: 'held_too_long' };
const NO_PROGRESS: Progress = {
  isConfirmed: false,
  isBehindBarrier: false,
  isOutOfPatience: false,
  repeatsAt: undefined,
  refusal: undefined,
  rows: undefined,
};

/** Why a request goes where it goes. */
export type RouteReason =
  /** No capability has this route. */
  | 'monolith'
  /** The route is the monolith's, which finds the owner of what it changes itself. */
  | 'touches'
  /** The owner takes writes, and reads for which the flag asks for it. */
  | 'owner'
  /** The flag asks for the other side, and it may serve. */
  | 'flag'
  /** The other side is not fit to serve reads. */
  | 'not_ready'
  /** The request names no customer, so its own writes are unknown. */
  | 'anonymous'
  /** The customer's own write may not have reached the other side yet. */
  | 'own_write'
  /** The fence of the other side has refused it. */
  | 'fenced';

/** What a request waits for before it is routed again. */
export type Wait =
  /** No updates are pushed, so that the owner may be another one: the engine is asked. */
  | 'confirmation'
  /** Nothing says whose rows it is about, and some keys have moved: all that was written must be replicated. */
  | 'barrier'
  /** A handover is about to move ownership. */
  | 'handover'
  /** A fence has refused it, and no other owner is known. */
  | 'update'
  /** It came to nothing, and is sent again a little later. Not decided by `route`, but by what came of it. */
  | 'backoff';

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

/** Why a request is not sent at all. */
export type RouteRefusal =
  /** The flag that alone decides who takes the write asks for nothing. */
  | { readonly code: 'owner_unknown'; readonly flag: string; readonly why: string }
  /** Both sides have refused the read. */
  | { readonly code: 'held_too_long' };

/** Where one attempt of a request goes, and why. */
export interface Route {
  /** Which server is asked. */
  readonly to: SideName | 'monolith';
  readonly reason: RouteReason;
  /** Who is asked instead where that one gives no answer, and the request may be repeated. */
  readonly alternative: SideName | undefined;
  /** What it waits for before it is routed again; undefined: it goes at once. */
  readonly wait: Wait | undefined;
  /** Of a write: the capability that a handover is about to move. */
  readonly moving: Capability | undefined;
  /** Why it is not sent at all. */
  readonly refused: RouteRefusal | undefined;
  readonly shadow: Shadowing;
  /** Who owns the rows that it is about; undefined for a route of the monolith. */
  readonly ownership: KeyOwnership | undefined;
  /** Of the ownership cache when this was decided. */
  readonly version: number;
}

/**
 * Decides where a request goes. Pure: the same request, snapshot and progress give the same route. It is
 * called once for each attempt; after a wait, or when a fence has refused the request, it is called
 * again with a new snapshot and with what has been done meanwhile.
 */
export function route(
  { form, match }: RoutedRequest,
  snapshot: RoutingSnapshot,
  progress: Progress = NO_PROGRESS,
): Route {
  if (match.kind === 'read') return routeRead(form, match, snapshot, progress);
  if (match.kind === 'write') return routeWrite(form, match, snapshot, progress);
  return PASSED;
}

/** It does not depend on anything that is known. */
const PASSED: Route = {
  to: 'monolith',
  reason: 'monolith',
  alternative: undefined,
  wait: undefined,
  moving: undefined,
  refused: undefined,
  shadow: 'off',
  ownership: undefined,
  version: 0,
};

type Asking = RoutedRequest['form'];

function routeRead(
  form: Asking,
  { capability }: ReadMatch,
  snapshot: RoutingSnapshot,
  progress: Progress,
): Route {
  const { refusal } = progress;
  const ownership = snapshot.ownership.of(capability, form);
  const { owner } = ownership;
  const reason = refusal ? 'fenced' : reasonOfRead(form, capability, ownership, snapshot);
  const to = refusal ? otherSide(refusal.side) : reason === 'flag' ? otherSide(owner) : owner;
  const isRefusedByBoth = refusal && (!refusal.isOwn || refusal.before !== undefined);
  // The flag first: a read that is not shadowed needs no reason.
  const shadow = snapshot.flags.isEnabled(capability.flags.shadow, { draw: form.draw })
    ? (whyNotComparable(form, ownership) ?? 'compared')
    : 'off';
  return {
    to,
    reason,
    alternative: to === owner ? undefined : owner,
    wait: refusal ? undefined : waitOfRead(form, capability, ownership, snapshot, progress),
    moving: undefined,
    refused: isRefusedByBoth ? REFUSED_BY_BOTH : undefined,
    shadow,
    ownership,
    version: snapshot.version,
  };
}

function reasonOfRead(
  { customer, draw }: Asking,
  capability: Capability,
  { owner, replicaReady, isUnknown }: KeyOwnership,
  { flags, ownWrites }: RoutingSnapshot,
): RouteReason {
  const asker = customer === undefined ? { draw } : { userId: customer };
  const wanted: SideName = flags.isEnabled(capability.flags.reads, asker) ? 'extracted' : 'legacy';
  if (wanted === owner) return 'owner';
  if (!replicaReady) return 'not_ready';
  if (!capability.replicated) return 'flag';
  if (customer === undefined || isUnknown) return 'anonymous';
  return ownWrites.isSettled(capability, customer) ? 'flag' : 'own_write';
}

/**
 * A read waits while the cached owner may be stale and the read would show it: the customer has just
 * written, and ownership is moving or no updates are pushed. (A write on another route may have reached
 * a new owner unseen.) A request without a key always waits while some keys have moved.
 */
function waitOfRead(
  { customer }: Asking,
  capability: Capability,
  { holding, isUnknown }: KeyOwnership,
  { ownWrites, updatesArePushed }: RoutingSnapshot,
  progress: Progress,
): Wait | undefined {
  if (!capability.replicated) return undefined;
  if (!isUnknown) {
    if (!holding && updatesArePushed) return undefined;
    if (customer !== undefined && ownWrites.isSettled(capability, customer)) return undefined;
  }
  if (!updatesArePushed && !progress.isConfirmed) return 'confirmation';
  // After the barrier the default owner has the rows of every key.
  if (isUnknown && !progress.isBehindBarrier) return 'barrier';
  return holding && !progress.isOutOfPatience ? 'handover' : undefined;
}

/** Why a read cannot be compared; undefined where both sides must give the same answer. */
export function whyNotComparable(
  { method }: Pick<Asking, 'method'>,
  { replicaReady, isUnknown }: KeyOwnership,
): NotComparable | undefined {
  if (method !== 'GET') return 'method';
  if (!replicaReady) return 'not_ready';
  return isUnknown ? 'several_owners' : undefined;
}

function routeWrite(
  form: Asking,
  { capability, changes }: WriteMatch,
  snapshot: RoutingSnapshot,
  progress: Progress,
): Route {
  const ownership = capability && ownershipOfRows(form, capability, snapshot, progress);
  const moving = changes.find((each) => snapshot.ownership.of(each, form).holding);
  const refusedBy = sideToAvoid(ownership, snapshot, progress);
  const to = progress.repeatsAt ?? (refusedBy ? otherSide(refusedBy) : ownership?.owner);
  return {
    to: to ?? 'monolith',
    reason: refusedBy ? 'fenced' : ownership ? 'owner' : 'touches',
    alternative: undefined,
    wait: waitOfWrite(ownership, moving, progress),
    moving,
    refused: capability && ownership && refusedForWantOfOwner(capability, ownership, snapshot),
    shadow: 'off',
    ownership,
    version: snapshot.version,
  };
}

function ownershipOfRows(
  form: Asking,
  capability: Capability,
  { ownership }: RoutingSnapshot,
  { rows }: Progress,
): KeyOwnership {
  return rows ? ownership.ofKey(capability, rows.key) : ownership.of(capability, form);
}

/** Without databases no fence would refuse a write at the wrong side. */
function refusedForWantOfOwner(
  { replicated, flags }: Capability,
  { known }: KeyOwnership,
  snapshot: RoutingSnapshot,
): RouteRefusal | undefined {
  if (replicated || known) return undefined;
  const flag = flags.writes;
  const why = snapshot.flags.switch(flag).refused ?? 'it was not read yet';
  return { code: 'owner_unknown', flag, why };
}

/** The side whose fence has refused the write, where it has waited and nothing was heard: the other one may own the rows by now. */
function sideToAvoid(
  ownership: KeyOwnership | undefined,
  { version }: RoutingSnapshot,
  { refusal }: Progress,
): SideName | undefined {
  if (!refusal?.isOwn || refusal.waitedSince === undefined) return undefined;
  const isHeard = version !== refusal.waitedSince || ownership?.certain === true;
  return isHeard ? undefined : refusal.side;
}

function waitOfWrite(
  ownership: KeyOwnership | undefined,
  moving: Capability | undefined,
  { refusal, rows, repeatsAt, isBehindBarrier, isOutOfPatience }: Progress,
): Wait | undefined {
  if (refusal && repeatsAt === undefined && refusal.waitedSince === undefined) {
    if (!leadsElsewhere(refusal, ownership)) return 'update';
  }
  // A write that its own fence has refused asks the fences; any other waits for an update first.
  if (rows) return undefined;
  // After the barrier the default owner has the rows too, and can tell whose they are.
  if (ownership?.isUnknown && !isBehindBarrier) return 'barrier';
  return moving !== undefined && !isOutOfPatience ? 'handover' : undefined;
}

/**
 * Whether a write may be sent on at once after FENCED: to the owner, where that is known to be the other
 * side, but not back and forth between two sides that refuse, unless something has changed. Of another
 * capability's fence, behind the facade's back, only an update says more.
 */
function leadsElsewhere(
  { side, before, isOwn, isStale }: Refusal,
  ownership: KeyOwnership | undefined,
): boolean {
  if (!isOwn || !ownership) return isStale;
  const { owner, holding } = ownership;
  return owner !== side && !holding && (isStale || before !== owner);
}
