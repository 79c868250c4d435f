import type { Applied } from '../side-database.ts';
import type { Slice } from '../store.ts';
import type { PostgresTarget } from './target.ts';

/**
 * Applies a whole slice in a transaction of the target: rows are locked one by one here, so nobody
 * has to be spared a long one. @throws ApplyError
 */
export async function applySlice(
  target: PostgresTarget,
  { after, upto, changes }: Slice,
  careful: boolean,
): Promise<Applied> {
  const started = performance.now();
  const { applied, anyParked } = target.found;
  if (after > applied || upto <= applied) return { position: applied, parked: [], heldMs: 0 };
  const fresh = changes.filter(({ position, op }) => position > applied && op !== 'heartbeat');
  if (careful || anyParked) {
    await target.applyOrPark(fresh);
    await target.setApplied(upto);
  } else await target.applyAll(fresh, upto);
  await target.applyCascades(fresh);
  return { position: upto, parked: target.parked, heldMs: performance.now() - started };
}
