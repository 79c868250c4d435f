import type { BackfillStatus, Copier } from './copy/index.ts';
import { directionOf, ownerOf } from './direction.ts';
import type { Direction, Fences } from './direction.ts';
import type { ApplierProblem, Pipeline } from './feed/index.ts';
import type { Mapping } from './mapping/index.ts';
import type { SideDatabase } from './side-database.ts';
import type { SideName } from './side.ts';

export interface DataPlaneStatus {
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
  /** Rows the feed still holds. */
  readonly kept: number;
  readonly transport: 'queue' | 'direct';
}

interface StatusSources {
  readonly mapping: Mapping;
  readonly fences: Fences;
  readonly databases: Readonly<Record<SideName, SideDatabase>>;
  readonly pipeline: Pipeline | undefined;
  readonly copier: Copier;
}

/** @throws TwoOwnersError */
export async function readDataPlaneStatus(sources: StatusSources): Promise<DataPlaneStatus> {
  const { mapping, fences, databases, pipeline, copier } = sources;
  const direction = directionOf(fences);
  const [source, target] = [databases[direction.from], databases[direction.to]];
  const [own, copied] = await Promise.all([source.installation(), target.installation()]);
  const applied = await target.store.appliedPosition();
  const problem = pipeline?.applier.problem ?? null;
  const complete = copied?.complete ?? false;
  const parked = await target.parked.count();
  return {
    capability: mapping.capability,
    mappingHash: mapping.hash,
    fences,
    owner: ownerOf(fences),
    direction,
    feed: await feedStatus(source, applied, pipeline),
    problem,
    backfill: copier.status(await target.backfills(), complete),
    parked,
    replicaReady: complete && problem === null && parked === 0,
    mappingCurrent: [own, copied].every((side) => side?.mappingHash === mapping.hash),
  };
}

async function feedStatus(
  { feed }: SideDatabase,
  applied: number,
  pipeline?: Pipeline,
): Promise<FeedStatus> {
  const last = await feed.last();
  const recordedAt = await feed.recordedAt(applied);
  return {
    last,
    sent: pipeline?.sent ?? applied,
    applied,
    lag: Math.max(0, last - applied),
    lagMs: recordedAt === null ? 0 : Math.max(0, Date.now() - recordedAt),
    kept: await feed.size(),
    transport: pipeline?.transport ?? 'direct',
  };
}
