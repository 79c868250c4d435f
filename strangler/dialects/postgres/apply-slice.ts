import { goesOnFrom, markAt, OtherFeedError } from '../../replication/feed-mark.ts';
import type { Applied } from '../../sides/side-database.ts';
import type { Slice, Followed } from '../../ledger/store.ts';
import type { PostgresTarget } from './target.ts';

/**
 * Applies a whole slice in a transaction of the target: rows are locked one by one here, so nobody
 * has to be spared a long one. @throws ApplyError, OtherFeedError
 */
export async function applySlice(
  target: PostgresTarget,
  slice: Slice,
  careful: boolean,
): Promise<Applied> {
  const started = performance.now();
  const { after, upto, changes } = slice;
  const { followed, anyParked } = target.found;
  const { position: applied } = followed;
  if (after > applied || upto <= applied) return { position: applied, parked: [], heldMs: 0 };
  if (!goesOnFrom(slice, followed)) throw new OtherFeedError(slice, applied);
  const reached: Followed = { position: upto, mark: markAt(slice, upto) };
  const fresh = changes.filter(({ position, op }) => position > applied && op !== 'heartbeat');
  if (careful || anyParked) {
    await target.applyOrPark(fresh);
    await target.setFollowed(reached);
  } else await target.applyAll(fresh, reached);
  await target.applyCascades(fresh);
  return { position: upto, parked: target.parked, heldMs: performance.now() - started };
}
