import type { SideDatabase } from '../sides/side-database.ts';
import type { Lease, SideStore } from '../ledger/store.ts';

/**
 * Has a side go on behind all that the other one's feed holds, which must not grow meanwhile. Positions
 * that were applied of it already are not given out again.
 * @param source whose feed it is
 * @param lease of `target`
 */
export async function passOver(
  { store, feed }: SideDatabase,
  target: SideStore,
  lease: Lease,
): Promise<void> {
  const position = Math.max((await target.followed()).position, await store.lastPosition());
  await target.followFrom({ position, mark: await feed.markAt(position) }, lease);
}
