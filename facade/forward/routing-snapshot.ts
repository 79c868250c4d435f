import type { FacadeState } from './facade-deps.ts';
import type { Routes } from '../match/index.ts';
import type { RoutingSnapshot } from '../route/index.ts';

/** What decides, as it is now. */
export function snapshotOf(routes: Routes, state: FacadeState): RoutingSnapshot {
  const { flags, ownershipCache, unreplicated, feed } = state;
  return {
    routes,
    flags,
    ownership: (capability, key) => ownershipCache.of(capability, key),
    isSplit: (capability) => ownershipCache.isSplit(capability),
    isInCohort: (capability, key) =>
      key !== undefined && ownershipCache.isInCohort(capability, key),
    isSettled: (capability, customer) =>
      unreplicated[capability.index]?.isSettled(customer) ?? false,
    updatesArePushed: () => feed.live,
  };
}
