import { otherSide } from '../../routing/side.ts';
import type { Mapping } from '../mapping/index.ts';
import { plural } from '../wording.ts';
import type { HandoverView } from './handover-view.ts';
import type { BackfillView, CapabilityStatus } from './status.ts';

/** What a copy would do; no steps where there is a whole copy already. */
export interface BackfillPlan {
  readonly capability: string;
  readonly outcome: 'planned';
  readonly state: BackfillView['state'];
  readonly steps: readonly string[];
}

/**
 * Says what copying a capability's rows would do.
 * @param status of the capability; without one it is taken as not begun
 */
export function planBackfill(
  { capability, pairs }: Mapping,
  status: Pick<CapabilityStatus, 'owner' | 'backfill'> | undefined,
  restart: boolean,
): BackfillPlan {
  const from = status?.owner ?? 'legacy';
  const to = otherSide(from);
  const state = status?.backfill.state ?? 'none';
  const steps = [
    ...(restart && state !== 'none' ? [`forget how far ${to} was copied`] : []),
    ...pairs.map(
      (pair) => `copy ${pair.name}: ${from} ${pair[from].table} to ${to} ${pair[to].table}`,
    ),
    `say that ${to} is a whole copy, and keep it one`,
  ];
  return {
    capability,
    outcome: 'planned',
    state,
    steps: state === 'done' && !restart ? [] : steps,
  };
}

/** What a comparison would do. */
export interface ReconcilePlan {
  readonly capability: string;
  readonly outcome: 'planned';
  readonly steps: readonly string[];
}

/** Says what comparing a capability's rows would do: it only reads. */
export function planReconcile(
  { capability, pairs }: Mapping,
  owner: CapabilityStatus['owner'],
): ReconcilePlan {
  const from = owner ?? 'legacy';
  const to = otherSide(from);
  const compared = pairs.map(
    (pair) =>
      `compare ${pair.name}: each row of ${from} ${pair[from].table} with ${to} ${pair[to].table}`,
  );
  const steps = [...compared, 'look at rows that differ once more, until both sides stand still'];
  return { capability, outcome: 'planned', steps };
}

/** What taking a handover back would do. */
export interface AbortPlan {
  readonly outcome: 'planned';
  readonly steps: readonly string[];
}

/** Says what taking a handover back would do. */
export function planAbort(
  { fences }: Pick<CapabilityStatus, 'fences'>,
  { from, epoch, keys }: HandoverView,
): AbortPlan {
  const fence = fences[from];
  const back =
    keys === null
      ? `move ${from}'s fence from ${fence?.state ?? '?'} (${fence?.epoch ?? '?'}) to open (${epoch + 1}), if it is still that`
      : `move ${from}'s fences of ${plural(keys.length, 'key')} to open (${epoch + 1}), if they are not ceded yet`;
  const steps = [
    back,
    `tell the facades that ${from} is the owner; held writes go there`,
    'record the outcome: aborted',
  ];
  return { outcome: 'planned', steps };
}

/** Why no handover can be taken back, and what to do instead. */
export interface AbortRefusal {
  readonly code: 'nothing_to_abort' | 'past_commit_point';
  readonly reason: string;
  readonly next: string;
}

/** Judges whether the handover that is under way can be taken back. */
export function abortable({
  capability,
  moving,
  owner,
  epoch,
  fences,
}: CapabilityStatus): HandoverView | AbortRefusal {
  if (!moving) {
    const reason = owner
      ? `no handover of ${capability} is under way: ${owner} owns it (epoch ${epoch})`
      : `no handover of ${capability} is under way, and it has no owner`;
    const next = owner ? 'fig status' : `fig doctor ${capability}`;
    return { code: 'nothing_to_abort', reason, next };
  }
  const { from, to, keys } = moving;
  // Of single keys the engine, or whoever acts in its place, asks their own fences.
  if (keys !== null || fences[from]?.state !== 'ceded') return moving;
  const reason =
    `the handover is past its commit point: ${from} has ceded ${capability}, and ${to} is opened ` +
    'as soon as it can be; afterwards it can be moved back';
  return { code: 'past_commit_point', reason, next: `fig doctor ${capability}` };
}
