import { isSplit, ownersOf, restOf } from '../replication/direction.ts';
import type { AllFences } from '../replication/direction.ts';
import type { CohortState, RoutingState } from '../../routing/index.ts';
import type { SideName } from '../../routing/side.ts';
import type { HandoverRecord } from '../ledger/store.ts';
import { ownerOf } from '../ownership/owner.ts';

/** What is true of a capability, before it gets the generation under which it is told. */
export type RoutingTruth = Omit<RoutingState, 'capability' | 'generation'>;

/** What of a handover is for the facades to know. */
export type Move = Pick<HandoverRecord, 'capability' | 'from' | 'to' | 'epoch' | 'keys'>;

/** What all fences say. */
export function truthOf(fences: AllFences, replicaReady: boolean): RoutingTruth {
  const { legacy, extracted } = restOf(fences);
  const owner = ownerOf({ legacy, extracted });
  const epoch = Math.max(legacy.epoch, extracted.epoch);
  const truth = { owner, epoch, replicaReady, holding: owner === null };
  return isSplit(fences) ? { ...truth, cohorts: cohortsOf(fences) } : truth;
}

/** What all fences of a completed capability say: extracted owns it for good, and nobody follows. */
export function completedTruth(fences: AllFences): RoutingTruth {
  const { legacy, extracted } = restOf(fences);
  const epoch = Math.max(legacy.epoch, extracted.epoch);
  return { owner: 'extracted', epoch, replicaReady: false, holding: false };
}

function cohortsOf(fences: AllFences): readonly CohortState[] {
  const groups = new Map<string, CohortState & { readonly keys: string[] }>();
  for (const [key, owner] of ownersOf(fences)) {
    const epoch = Math.max(fences.legacy.of(key).epoch, fences.extracted.of(key).epoch);
    const group = `${owner} ${epoch}`;
    const known = groups.get(group);
    if (known) known.keys.push(key);
    else groups.set(group, { keys: [key], owner, epoch, holding: owner === null });
  }
  return [...groups.values()];
}

/**
 * What to tell when a handover is about to begin.
 * @param known what was told last
 * @returns undefined where single keys move and nothing is known of the rest: it is only a hint
 */
export function holdingTruth(
  known: RoutingTruth | undefined,
  { from, to, epoch, keys }: Move,
): RoutingTruth | undefined {
  const cohorts = known?.cohorts ?? [];
  if (keys !== null) {
    const moving = { keys, owner: null, epoch, holding: true };
    return known && { ...known, cohorts: [...without(cohorts, keys), moving] };
  }
  const replicaReady = known?.replicaReady ?? false;
  const held = cohorts.map((one) =>
    one.owner === from ? { ...one, owner: null, epoch, holding: true } : one,
  );
  // Where the rest is at the target already, it is keys alone that come to it.
  if (known && known.owner === to && cohorts.length > 0) return { ...known, cohorts: held };
  return withCohorts({ owner: null, epoch, replicaReady, holding: true }, held);
}

/** What to tell when it has come to its end: at its target, or back at its source. */
export function movedTruth(
  known: RoutingTruth | undefined,
  { from, epoch: asked, keys }: Move,
  owner: SideName,
  epoch: number,
): RoutingTruth | undefined {
  const cohorts = known?.cohorts ?? [];
  if (keys !== null) {
    const moved = { keys, owner, epoch, holding: false };
    return known && { ...known, cohorts: [...without(cohorts, keys), moved] };
  }
  const truth = { owner, epoch, replicaReady: true, holding: false };
  if (owner !== from) return truth;
  const kept = cohorts.map(({ keys: of, ...one }) =>
    one.holding && one.epoch === asked
      ? { keys: of, owner, epoch, holding: false }
      : { keys: of, ...one },
  );
  // Of what was never held nothing has changed.
  if (known && !known.holding && cohorts.length > 0) return { ...known, cohorts: kept };
  return withCohorts(truth, kept);
}

function withCohorts(truth: RoutingTruth, cohorts: readonly CohortState[]): RoutingTruth {
  return cohorts.length === 0 ? truth : { ...truth, cohorts };
}

function without(cohorts: readonly CohortState[], keys: readonly string[]): readonly CohortState[] {
  const gone = new Set(keys);
  return cohorts
    .map((one) => ({ ...one, keys: one.keys.filter((key) => !gone.has(key)) }))
    .filter((one) => one.keys.length > 0);
}
