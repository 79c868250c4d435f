import { encodeValues, isGuest } from '../mapping/index.ts';
import type { Mapping, Pair, PairKey } from '../mapping/index.ts';
import type { SideDatabase, Snapshot } from '../side-database.ts';
import { plural } from '../wording.ts';

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
    isGuest(pair, side) || pair[side].optional === true;
  return !isOdd('legacy') && !isOdd('extracted');
}

/**
 * How many rows the target lacks of those that the owner has. The target is seen as of what it has applied, the
 * owner a moment later: rows that have changed in between are left out of both counts.
 */
async function missingRows(pair: Pair, own: Snapshot, there: Snapshot): Promise<number> {
  const gap = (await own.count(pair)) - (await there.count(pair));
  const changed = await changedKeys(pair, own, await there.applied());
  let missing = gap;
  for (const key of changed) {
    if ((await own.row(pair, key)) !== undefined) missing -= 1;
    if ((await there.row(pair, key)) !== undefined) missing += 1;
  }
  if (missing <= 0) return 0;
  // Rows without a key can't be told apart: together they are parked as one.
  return missing - (await own.unkeyed(pair, missing)).length;
}

async function changedKeys(pair: Pair, own: Snapshot, after: number): Promise<Iterable<PairKey>> {
  const changes = await own.changedSince(pair, after);
  return new Map(changes.map(({ key }) => [encodeValues(key), key])).values();
}
