import { ApplyError } from '../side-database.ts';
import type { ParkedChange, SideDatabase, Target } from '../side-database.ts';
import type { Change, Slice } from '../store.ts';
import type { Reveal } from './reveal.ts';

/** How long one applying transaction may hold the target's write lock, in ms. */
export const TIME_BOX_MS = 1.5;
/** The same, while no other process writes there. */
export const ALONE_BOX_MS = 8;
/** A transaction of the owner is not cut before the box is overrun this many times. */
const OVERRUN = 3;

/** What one transaction has done. */
export interface Applied {
  /** The applied position afterwards. */
  readonly position: number;
  /** What could not be applied, and is kept until somebody sees to it. */
  readonly parked: readonly ParkedChange[];
  /** How long it held the target's write lock, in ms; waiting for the lock is nobody's burden. */
  readonly heldMs: number;
}

/**
 * Applies as much of a slice as fits into one short transaction of the target, and with it the new
 * position. What was applied before is skipped; a slice that would leave a gap is not touched.
 * A change that can't be applied is parked with its aggregate, in the same transaction.
 * @throws NotTargetError when ownership has moved; ApplyError where no change is to blame
 */
export async function applySome(
  target: SideDatabase,
  epoch: number,
  slice: Slice,
  reveal: Reveal = (change) => change,
  boxMs = target.crowded ? TIME_BOX_MS : ALONE_BOX_MS,
): Promise<Applied> {
  const run = (careful: boolean): Promise<Applied> =>
    target.apply(epoch, (transaction) => applyIn(transaction, slice, { reveal, boxMs, careful }));
  try {
    return await run(false);
  } catch (error) {
    if (!(error instanceof ApplyError) || !error.poison) throw error;
    // Nothing of the transaction is left. Taken one by one, the rest of it can be applied.
    return run(true);
  }
}

interface Manner {
  readonly reveal: Reveal;
  readonly boxMs: number;
  /** Whether to take changes one by one, so that one of them can fail alone. */
  readonly careful: boolean;
}

function applyIn(target: Target, slice: Slice, { reveal, boxMs, careful }: Manner): Applied {
  const started = performance.now();
  const applied = target.applied();
  if (slice.after > applied || slice.upto <= applied) {
    return { position: applied, parked: [], heldMs: 0 };
  }
  const parked: ParkedChange[] = [];
  const applyOne =
    careful || target.anyParked() ? parkWhatFails(target, parked) : stopAtWhatFails(target);
  const position = applyUntilLate((change) => applyOne(reveal(change)), slice, applied, boxMs);
  target.setApplied(position);
  return { position, parked, heldMs: performance.now() - started };
}

type ApplyOne = (change: Change) => void;

function parkWhatFails(target: Target, parked: ParkedChange[]): ApplyOne {
  return (change) => {
    const kept = target.applyOrPark(change);
    if (kept !== null) parked.push(kept);
  };
}

function stopAtWhatFails(target: Target): ApplyOne {
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
