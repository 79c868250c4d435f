import { ApplyError } from '../side-database.ts';
import type { SideDatabase, Target } from '../side-database.ts';
import type { Change, Slice } from '../store.ts';

/** How long one applying transaction may hold the target's write lock, in ms. */
export const TIME_BOX_MS = 1.5;
/** A transaction of the owner is not cut before the box is overrun this many times. */
const OVERRUN = 3;

/** What one transaction has done. */
export interface Applied {
  /** The applied position afterwards. */
  readonly position: number;
  /** How long it held the target's write lock, in ms; waiting for the lock is nobody's burden. */
  readonly heldMs: number;
}

/**
 * Applies as much of a slice as fits into one short transaction of the target, and with it the new
 * position. What was applied before is skipped; a slice that would leave a gap is not touched.
 * @throws NotTargetError when ownership has moved; ApplyError naming the change that failed
 */
export function applySome(
  target: SideDatabase,
  epoch: number,
  slice: Slice,
  boxMs = TIME_BOX_MS,
): Promise<Applied> {
  return target.apply(epoch, (transaction) => {
    const started = performance.now();
    const applied = transaction.applied();
    if (slice.after > applied || slice.upto <= applied) return { position: applied, heldMs: 0 };
    const position = applyUntilLate(transaction, slice, applied, boxMs);
    transaction.setApplied(position);
    return { position, heldMs: performance.now() - started };
  });
}

function applyUntilLate(target: Target, slice: Slice, applied: number, boxMs: number): number {
  const started = performance.now();
  const { changes } = slice;
  for (const [index, change] of changes.entries()) {
    if (change.position <= applied) continue;
    if (change.op !== 'heartbeat') applyOne(target, change);
    const next = changes[index + 1];
    if (next === undefined) break;
    const took = performance.now() - started;
    if (took > boxMs && (next.tx !== change.tx || took > OVERRUN * boxMs)) return change.position;
  }
  return slice.upto;
}

function applyOne(target: Target, change: Change): void {
  try {
    target.apply(change);
  } catch (error) {
    throw new ApplyError(change, error);
  }
}
