import { isSplit } from '../replication/direction.ts';
import type { AllFences } from '../replication/direction.ts';
import type { Keys } from '../ownership/fence-rows.ts';
import type { SideName } from '../../routing/side.ts';

/**
 * The epoch of the next handover away from a side: above all that there were. Only where keys have
 * fences of their own is there more than one to look at.
 */
export function epochAfter(fences: AllFences, from: SideName, keys: Keys): number {
  if (keys === null && !isSplit(fences)) return fences[from].rest.epoch + 1;
  return Math.max(fences.legacy.epoch, fences.extracted.epoch) + 1;
}
