import type { Fence } from '../../chassis/index.ts';
import { ownerOf } from '../ownership/owner.ts';
import type { Shares } from '../../routing/index.ts';
import type { SideName } from '../../routing/side.ts';

/** Where a capability is on its way out of the monolith, and back. */
export type Stage =
  | 'not installed'
  | 'legacy'
  | 'backfilling'
  | 'replicating'
  | 'shadowing'
  | 'reading'
  | 'moving'
  | 'switched'
  | 'completing'
  | 'complete'
  | 'alarm';

export interface StageFacts {
  readonly fences: Readonly<Record<SideName, Fence | null>>;
  readonly moving: boolean;
  /** How far the last step has been taken; null while nobody has begun it. */
  readonly completion: 'begun' | 'done' | null;
  readonly backfill: 'none' | 'running' | 'done';
  /** Null while the flags have never been read. */
  readonly shares: Pick<Shares, 'shadow' | 'reads'> | null;
}

/** Derives the stage from fences, positions and flags: no column of its own that could go stale. */
export function stageOf(facts: StageFacts): Stage {
  const { fences, moving, completion, backfill, shares } = facts;
  if (!fences.legacy || !fences.extracted) return 'not installed';
  if (completion === 'done') return 'complete';
  if (completion === 'begun') return 'completing';
  if (moving) return 'moving';
  const owner = ownerOf(fences);
  if (owner === null) return 'alarm';
  if (owner === 'extracted') return 'switched';
  if (backfill !== 'done') return backfill === 'running' ? 'backfilling' : 'legacy';
  if (shares === null) return 'replicating';
  if (shares.reads > 0) return 'reading';
  return shares.shadow > 0 ? 'shadowing' : 'replicating';
}
