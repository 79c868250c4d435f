import { goesOnFrom, markAt, OtherFeedError } from '../../replication/feed-mark.ts';
import { ApplyError } from '../../sides/side-database.ts';
import type { Applied, ParkedChange } from '../../sides/side-database.ts';
import type { Change, Slice } from '../../ledger/store.ts';
import type { SqliteTarget } from './target.ts';

/** How long one applying transaction may hold the target's write lock, in ms, with its commit. */
export const TIME_BOX_MS = 0.75;
/** The same, while no other process writes there. */
export const ALONE_BOX_MS = 8;
/** A transaction of the owner is not cut before the box is overrun this many times. */
const OVERRUN = 1.5;

export interface Manner {
  /** How long to go on, in ms. */
  readonly boxMs: number;
  /** Whether to take changes one by one, so that one of them can fail alone. */
  readonly careful: boolean;
}

/** Applies what fits into the box, in a transaction of the target. @throws ApplyError, OtherFeedError */
export function applySlice(
  target: SqliteTarget,
  slice: Slice,
  { boxMs, careful }: Manner,
): Omit<Applied, 'heldMs'> {
  const followed = target.followedNow();
  const { position: applied } = followed;
  if (slice.after > applied || slice.upto <= applied) {
    return { position: applied, parked: [] };
  }
  if (!goesOnFrom(slice, followed)) throw new OtherFeedError(slice, applied);
  const parked: ParkedChange[] = [];
  const applyOne =
    careful || target.anyParked() ? parkWhatFails(target, parked) : stopAtWhatFails(target);
  const position = applyUntilLate(applyOne, slice, applied, boxMs);
  const fresh = slice.changes.filter((change) => change.position > applied);
  target.applyCascades(fresh, position);
  target.setFollowed({ position, mark: markAt(slice, position) });
  return { position, parked };
}

type ApplyOne = (change: Change) => void;

function parkWhatFails(target: SqliteTarget, parked: ParkedChange[]): ApplyOne {
  return (change) => {
    const kept = target.applyOrPark(change);
    if (kept !== null) parked.push(kept);
  };
}

function stopAtWhatFails(target: SqliteTarget): ApplyOne {
  return (change) => {
    try {
      target.apply(change);
    } catch (error) {
      throw new ApplyError(change, error, target.isPoison(error));
    }
  };
}

function applyUntilLate(applyOne: ApplyOne, slice: Slice, applied: number, boxMs: number): number {
  const started = performance.now();
  const { changes } = slice;
  for (const [index, change] of changes.entries()) {
    if (change.position <= applied) continue;
    if (change.op !== 'heartbeat') applyOne(change);
    const next = changes[index + 1];
    if (next === undefined) break;
    const took = performance.now() - started;
    if (took > boxMs && (next.tx !== change.tx || took > OVERRUN * boxMs)) return change.position;
  }
  return slice.upto;
}
