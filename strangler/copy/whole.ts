import { setTimeout as delay } from 'node:timers/promises';
import { isGuest } from '../mapping/index.ts';
import type { Mapping, Pair } from '../mapping/index.ts';
import type { SideDatabase } from '../side-database.ts';
import { plural } from '../wording.ts';

interface Copied {
  readonly mapping: Mapping;
  readonly source: SideDatabase;
  readonly target: SideDatabase;
  readonly signal: AbortSignal;
}

/** Rows come and go between counts: what is short so often is short. */
const LOOKS = 5;
const LOOK_MS = 50;

/**
 * Counts both sides after a copy. A row that another one has pushed out, since a unique index of the target
 * takes both for the same, was seen to like the others, and is gone.
 * @param caughtUp waits until what the owner holds by now has been applied
 * @throws Error where the target has fewer rows than the owner, and than are parked
 */
export async function refuseShort(copied: Copied, caughtUp: () => Promise<void>): Promise<void> {
  for (const pair of copied.mapping.pairs) {
    if (!isCounted(pair)) continue;
    let short = await missing(copied, pair, caughtUp);
    for (let look = 1; short > 0 && look < LOOKS; look += 1) {
      await delay(LOOK_MS, undefined, { signal: copied.signal });
      short = Math.min(short, await missing(copied, pair, caughtUp));
    }
    if (short <= 0) continue;
    const { source, target } = copied;
    throw new Error(
      `${plural(short, 'row')} of ${pair.name} went missing in the copy: ${target.side} has fewer than ` +
        `${source.side}, as a unique index there may take two for the same; fig reconcile names them`,
    );
  }
}

/** A pair whose rows need not be there, or that are columns of another one's, has no number to keep to. */
function isCounted(pair: Pair): boolean {
  const isOdd = (side: 'legacy' | 'extracted'): boolean =>
    isGuest(pair, side) || pair[side].optional === true;
  return !isOdd('legacy') && !isOdd('extracted');
}

/**
 * The target is counted when it has all that the owner had at its count, and the owner once more after
 * that: what was added meanwhile is not in the first count, what was deleted not in the second.
 */
async function missing(
  { source, target }: Copied,
  pair: Pair,
  caughtUp: () => Promise<void>,
): Promise<number> {
  const countOf = (side: SideDatabase): Promise<number> =>
    side.snapshot((snapshot) => snapshot.count(pair));
  const before = await countOf(source);
  if (before <= (await countOf(target))) return 0;
  await caughtUp();
  const there = await countOf(target);
  const gap = Math.min(before, await countOf(source)) - there;
  if (gap <= 0) return 0;
  // Rows without a key can't be told apart: together they are parked as one.
  const unkeyed = await source.snapshot((snapshot) => snapshot.unkeyed(pair, gap));
  return gap - unkeyed.length - (await target.parked.count());
}
