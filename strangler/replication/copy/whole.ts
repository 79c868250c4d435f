import { encodeValues, isColumnPair } from '../../mapping/index.ts';
import type { Mapping, Pair, PairKey } from '../../mapping/index.ts';
import type { SideDatabase, Snapshot } from '../../sides/side-database.ts';
import { plural } from '../../wording.ts';

interface Copied {
  readonly mapping: Mapping;
  readonly source: SideDatabase;
  readonly target: SideDatabase;
}

/**
 * Counts both sides after a copy. A row that another one has pushed out, since a unique index of the target
 * takes both for the same, was seen to like the others, and is gone.
 * @throws Error where the target has fewer rows than the owner, and than are parked
 */
export async function refuseShort({ mapping, source, target }: Copied): Promise<void> {
  for (const pair of mapping.pairs.filter(isCounted)) {
    const short = await target.snapshot((there) =>
      source.snapshot((own) => missingRows(pair, own, there)),
    );
    if (short === 0 || short <= (await target.parked.count())) continue;
    throw new Error(
      `${plural(short, 'row')} of ${pair.name} went missing in the copy: ${target.side} has fewer than ` +
        `${source.side}, as a unique index there may take two for the same; fig reconcile names them`,
    );
  }
}

/** A pair whose rows need not be there, or that are columns of another one's, has no number to keep to. */
function isCounted(pair: Pair): boolean {
  const isOdd = (side: 'legacy' | 'extracted'): boolean =>
    isColumnPair(pair, side) || pair[side].optional === true;
  return !isOdd('legacy') && !isOdd('extracted');
}

/** What a pair has on the target beyond what its owner has, and how many rows each has. */
export async function surplusOf(
  pair: Pair,
  source: SideDatabase,
  target: SideDatabase,
): Promise<{ readonly surplus: number; readonly own: number; readonly there: number }> {
  return target.snapshot((there) =>
    source.snapshot(async (own) => {
      const surplus = isCounted(pair) ? Math.max(0, -(await gapOf(pair, own, there))) : 0;
      return { surplus, own: await own.count(pair), there: await there.count(pair) };
    }),
  );
}

/** How many rows the target lacks of those that the owner has. */
async function missingRows(pair: Pair, own: Snapshot, there: Snapshot): Promise<number> {
  const missing = await gapOf(pair, own, there);
  if (missing <= 0) return 0;
  // Rows without a key can't be told apart: together they are parked as one.
  return missing - (await own.unkeyed(pair, missing)).length;
}

/**
 * How many rows the owner has more than the target. The target is seen as of what it has applied, the owner a
 * moment later: rows that have changed in between are left out of both counts.
 */
async function gapOf(pair: Pair, own: Snapshot, there: Snapshot): Promise<number> {
  let gap = (await own.count(pair)) - (await there.count(pair));
  const changed = await changedKeys(pair, own, await there.applied());
  for (const key of changed) {
    if ((await own.row(pair, key)) !== undefined) gap -= 1;
    if ((await there.row(pair, key)) !== undefined) gap += 1;
  }
  return gap;
}

async function changedKeys(pair: Pair, own: Snapshot, after: number): Promise<Iterable<PairKey>> {
  const changes = await own.changedSince(pair, after);
  return new Map(changes.map(({ key }) => [encodeValues(key), key])).values();
}
