import type { BackfillStatus, Copier } from './copy/index.ts';
import { directionsOf, ownerOrThrow, restOf } from './direction.ts';
import type { Direction, Fences } from './direction.ts';
import type { ApplierProblem, Pipeline } from './feed/index.ts';
import type { Mapping } from '../mapping/index.ts';
import { fencesIn } from '../sides/facts.ts';
import type { Facts, LagFacts } from '../sides/facts.ts';
import type { SideName } from '../../routing/side.ts';

export interface ReplicationStatus {
  readonly capability: string;
  readonly mappingHash: string;
  readonly fences: Fences;
  /** Null between two owners. */
  readonly owner: SideName | null;
  readonly direction: Direction;
  readonly feed: FeedStatus;
  readonly problem: ApplierProblem | null;
  readonly backfill: BackfillStatus;
  /** Changes that could not be applied, or that wait behind such a one. */
  readonly parked: number;
  /** Whether the side that is not the owner holds a whole copy, and everything can be applied. */
  readonly replicaReady: boolean;
  /** Whether both databases were prepared with the mapping this engine runs. */
  readonly mappingCurrent: boolean;
}

export interface FeedStatus {
  readonly last: number;
  /** How far slices have been sent on their way. */
  readonly sent: number;
  readonly applied: number;
  /** Changes not yet applied. */
  readonly lag: number;
  /** Age of the oldest of them, in ms. */
  readonly lagMs: number;
  readonly transport: 'queue' | 'direct';
}

interface StatusSources {
  readonly mapping: Mapping;
  readonly facts: Facts;
  readonly pipelines: ReadonlyMap<SideName, Pipeline>;
  /** By the side whose changes should be carried and are not. */
  readonly unstarted: ReadonlyMap<SideName, ApplierProblem>;
  readonly copier: Copier;
}

/**
 * Where single keys are ahead of the rest there are two directions: figures are those of the rest's,
 * troubles and lags of either count. @throws TwoOwnersError
 */
export async function readReplicationStatus(sources: StatusSources): Promise<ReplicationStatus> {
  const { mapping, facts, copier } = sources;
  const fences = await fencesIn(facts);
  const [direction, back] = directionsOf(fences) as [Direction, Direction?];
  const first = await readDirection(sources, direction);
  const second = back && (await readDirection(sources, back));
  const problem = first.problem ?? second?.problem ?? null;
  const parked = first.parked + (second?.parked ?? 0);
  const complete = first.complete && (second?.complete ?? true);
  return {
    capability: mapping.capability,
    mappingHash: mapping.hash,
    fences: restOf(fences),
    owner: ownerOrThrow(restOf(fences)),
    direction,
    feed: {
      ...first.feed,
      lag: Math.max(first.feed.lag, second?.feed.lag ?? 0),
      lagMs: Math.max(first.feed.lagMs, second?.feed.lagMs ?? 0),
    },
    problem,
    backfill: copier.status(await facts[direction.to].backfills(), first.complete),
    parked,
    replicaReady: complete && problem === null && parked === 0,
    mappingCurrent: first.mappingCurrent,
  };
}

interface DirectionStatus extends Pick<
  ReplicationStatus,
  'feed' | 'problem' | 'parked' | 'mappingCurrent'
> {
  readonly complete: boolean;
}

async function readDirection(
  { mapping, facts, pipelines, unstarted }: StatusSources,
  { from, to }: Direction,
): Promise<DirectionStatus> {
  const [source, target, pipeline] = [facts[from], facts[to], pipelines.get(from)];
  const [own, copied] = [await source.installation(), await target.installation()];
  // The applied position before what is parked: both move in one transaction, so what it has passed is counted.
  const lag = await facts.lagBehind(from);
  return {
    complete: copied?.complete ?? false,
    problem: pipeline?.applier.problem ?? unstarted.get(from) ?? null,
    parked: await target.parkedCount(),
    feed: feedStatus(lag, pipeline),
    mappingCurrent: [own, copied].every((side) => side?.mappingHash === mapping.hash),
  };
}

function feedStatus({ lag, position, applied }: LagFacts, pipeline?: Pipeline): FeedStatus {
  return {
    last: position,
    sent: pipeline?.sent ?? applied,
    applied,
    lag: lag.changes,
    lagMs: lag.ms,
    transport: pipeline?.transport ?? 'direct',
  };
}
