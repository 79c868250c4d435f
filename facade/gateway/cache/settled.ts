import type { Capability } from '../../match/index.ts';
import type { FacadeDeps, RequestContext } from '../../forward/index.ts';

/** Why an answer is neither taken from the cache nor put there. */
export type Bypass = 'moving' | 'own_write';

/**
 * Whether one side alone answers all callers' reads of a capability, and nothing is about to change that:
 * no handover, no share of reads elsewhere, no comparison, no customer ahead of the others.
 */
export function bypassOf(context: RequestContext, deps: FacadeDeps): Bypass | undefined {
  const { capability } = context.match;
  if (!capability) return undefined;
  if (isMoving(capability, deps)) return 'moving';
  const { customer } = context.form;
  if (customer === undefined) return undefined;
  const hasReplica =
    capability.replicated && deps.ownershipCache.ofDefault(capability).replicaReady;
  const isEverywhere = deps.ownWrites.of(capability).isSettled(customer, hasReplica);
  return isEverywhere ? undefined : 'own_write';
}

function isMoving(capability: Capability, deps: FacadeDeps): boolean {
  const { flags, cachedFlags, ownershipCache, feed } = deps;
  const { owner, holding, known } = ownershipCache.ofDefault(capability);
  if (!known || holding || (capability.replicated && !feed.live)) return true;
  const { on } = cachedFlags.switch(capability.flags.writes);
  if (on !== null && on !== (owner === 'extracted')) return true;
  const isExtracted = owner === 'extracted';
  const { reads, shadow } = capability.flags;
  const isAsOwner = isExtracted ? flags.rule(reads).kind === 'on' : flags.isOff(reads);
  return !isAsOwner || !flags.isOff(shadow) || ownershipCache.cohortsOf(capability).length > 0;
}
