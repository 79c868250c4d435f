import type { Fence } from '../chassis/index.ts';
import type { SideName } from './side.ts';
import { otherSide } from './side.ts';

/** Whose changes go where, and at which epoch of the target. */
export interface Direction {
  readonly from: SideName;
  readonly to: SideName;
  /** The target's epoch while this direction holds. */
  readonly epoch: number;
}

/** Both fences are open: only a restored backup can say that, and nothing may be applied. */
export class TwoOwnersError extends Error {
  override readonly name = 'TwoOwnersError';
}

export type Fences = Readonly<Record<SideName, Fence>>;

export function ownerOf(fences: Fences): SideName | null {
  const { legacy, extracted } = fences;
  if (legacy.state === 'open' && extracted.state === 'open') {
    throw new TwoOwnersError(
      `both sides are open (legacy ${legacy.epoch}, extracted ${extracted.epoch}): a backup was restored`,
    );
  }
  if (legacy.state === 'open') return 'legacy';
  return extracted.state === 'open' ? 'extracted' : null;
}

/**
 * The direction that two fences ask for: from the owner, and between two owners from the side that
 * moved last, which is the one that was open.
 */
export function directionOf(fences: Fences): Direction {
  const from = ownerOf(fences) ?? lastMoved(fences);
  const to = otherSide(from);
  return { from, to, epoch: fences[to].epoch };
}

function lastMoved({ legacy, extracted }: Fences): SideName {
  return extracted.epoch > legacy.epoch ? 'extracted' : 'legacy';
}

export function sameDirection(left: Direction | null, right: Direction): boolean {
  return left !== null && left.from === right.from && left.epoch === right.epoch;
}
