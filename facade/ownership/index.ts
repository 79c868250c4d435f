/** Who owns what, as far as this facade knows, and whose own writes are under way. */
export { Barriers } from './barriers.ts';
export { FacadeRegistration } from './facade-registration.ts';
export { FencePoller } from './fence-poller.ts';
export type { Cohort, KeyOwnership } from './cohort-ownership.ts';
export type { Ownership } from './ownership.ts';
export { NO_PEERS, OwnWrites } from './own-writes.ts';
export type { Changed, Noted, Peers } from './own-writes.ts';
export { CachedFlags } from './cached-flags.ts';
export { OwnershipCache } from './ownership-cache.ts';
export { RoutingFeed } from './routing-feed.ts';
export type { UnreplicatedWrites } from './unreplicated-writes.ts';
