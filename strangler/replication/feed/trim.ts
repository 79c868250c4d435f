import { setTimeout as delay } from 'node:timers/promises';
import type { SideDatabase } from '../../sides/side-database.ts';

/** Applied rows that are kept: a comparison wants the newest image of a row that changes often. */
const KEPT = 5_000;
const AT_ONCE = 500;
const MOST = 10_000;
const PAUSE_MS = 4;

/**
 * Deletes rows of a side's feed that the other side has applied. What is deleted can't be applied
 * again, so the other side must first have it safe from a power cut.
 */
export async function trim(source: SideDatabase, target: SideDatabase): Promise<void> {
  const { feed } = source;
  const oldest = (await feed.last()) - (await feed.size()) + 1;
  if ((await target.store.appliedPosition()) - oldest < KEPT + AT_ONCE) return;
  const settled = await target.flush();
  for (let deleted = 0; deleted < MOST; deleted += AT_ONCE) {
    if ((await feed.trim(settled - KEPT, AT_ONCE)) < AT_ONCE) return;
    // The owner's own writes wait for the same lock.
    await delay(PAUSE_MS);
  }
}
