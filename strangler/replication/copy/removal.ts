import { Problem } from '../../../chassis/index.ts';
import type { Mapping, Pair } from '../../mapping/index.ts';
import type { SideDatabase } from '../../sides/side-database.ts';
import { otherSide } from '../../../routing/side.ts';
import type { SideName } from '../../../routing/side.ts';
import { count, plural } from '../../wording.ts';
import { refuseHiddenRows } from './hidden-rows.ts';
import { partingOf } from './parting.ts';
import { surplusOf } from './whole.ts';

/** Rows of one pair on both sides. */
interface PairCounts extends Readonly<Record<SideName, number>> {
  readonly pair: string;
  /** How many the side that is written to has and the other one has not: these have to vanish. */
  readonly removed: number;
}

/** What is lost when the rows of one side replace those of the other. */
export interface RemovalPlan {
  readonly capability: string;
  /** The side whose rows are right. */
  readonly from: SideName;
  readonly to: SideName;
  readonly pairs: readonly PairCounts[];
  readonly removed: number;
  /** Whether the rows were compared; else they were only counted, since comparing takes too long. */
  readonly compared: boolean;
  /** When each side took its newest write that its feed still knows of, in ms since 1970. */
  readonly newest: Readonly<Record<SideName, number | null>>;
}

interface Replaced {
  readonly mapping: Mapping;
  readonly sides: Readonly<Record<SideName, SideDatabase>>;
  /** The side whose rows are right. */
  readonly from: SideName;
}

/** A command waits no longer than this for the comparison; milliseconds. */
const COMPARE_MS = 120_000;
/** Of a pair's rows, this share may vanish without a word: copies are a little behind. */
const FEW_PERCENT = 1;
/** And so many in any case. */
const FEW = 5;

/** Counts both sides, and compares them where the side that is written to has rows at all. */
export async function planRemoval({ mapping, sides, from }: Replaced): Promise<RemovalPlan> {
  await refuseHiddenRows(mapping, [sides.legacy, sides.extracted]);
  const to = otherSide(from);
  const counted = [];
  for (const pair of mapping.pairs) {
    const rows = (side: SideName): Promise<number> =>
      sides[side].snapshot((snapshot) => snapshot.count(pair));
    counted.push({
      pair: pair.name,
      legacy: await rows('legacy'),
      extracted: await rows('extracted'),
    });
  }
  const only = counted.some((pair) => pair[to] > 0) ? await onlyThere(mapping, sides, to) : {};
  const pairs = counted.map((one): PairCounts => ({
    ...one,
    removed: only === null ? Math.max(0, one[to] - one[from]) : (only[one.pair] ?? 0),
  }));
  return {
    capability: mapping.capability,
    from,
    to,
    pairs,
    removed: pairs.reduce((sum, pair) => sum + pair.removed, 0),
    compared: only !== null,
    newest: {
      legacy: await sides.legacy.feed.newest(),
      extracted: await sides.extracted.feed.newest(),
    },
  };
}

/** The rows that one side alone has, by pair; null where comparing takes too long. */
async function onlyThere(
  mapping: Mapping,
  sides: Replaced['sides'],
  to: SideName,
): Promise<Readonly<Record<string, number>> | null> {
  const signal = AbortSignal.timeout(COMPARE_MS);
  try {
    return (await partingOf(mapping, sides, signal)).only[to].byPair;
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}

interface Override {
  /** The number that a person has named, which then has to be exactly that. */
  readonly deleteRows: number | undefined;
  /** What else helps, for the refusal. */
  readonly otherwise: string;
  readonly next: string;
}

/**
 * Refuses to replace the rows of a side where more than a few of them would vanish: then it is more likely
 * that the side whose rows are to be right has lost them.
 * @throws Problem `would_delete_rows`, which says how to go on
 */
export function refuseRemoval(
  { capability, from, to, pairs, removed, newest }: RemovalPlan,
  { deleteRows, otherwise, next }: Override,
): void {
  if (deleteRows === removed) return;
  const many = pairs.some((pair) => isMany(pair.removed, { there: pair[to], own: pair[from] }));
  if (deleteRows === undefined && !many) return;
  const shown = pairs
    .filter((pair) => pair.removed > 0)
    .map((pair) => `${pair.pair} ${pair[from]} in ${from}, ${pair[to]} in ${to}`)
    .join('; ');
  const detail =
    `${plural(removed, 'row')} of ${to} would vanish, since ${from} has not got them: ${shown || 'none'}; ` +
    `${otherwise} --delete-rows ${removed}`;
  throw new Problem(409, 'would_delete_rows', detail, {
    members: { capability, removed, pairs, newest, next },
  });
}

/** Whether so many rows of a pair may not vanish unasked. */
function isMany(
  removed: number,
  { there, own }: { readonly there: number; readonly own: number },
): boolean {
  if (removed === 0) return false;
  return own === 0 || removed > Math.max(FEW, (there * FEW_PERCENT) / 100);
}

/**
 * For a copy that the engine begins without an operator, such as one that it resumes after a restart. It compares counts only.
 * @throws Error where more than a few rows of the target would vanish
 */
export async function refuseUnattended({
  mapping,
  source,
  target,
}: {
  readonly mapping: Mapping;
  readonly source: SideDatabase;
  readonly target: SideDatabase;
}): Promise<void> {
  const many: { readonly pair: Pair; readonly own: number; readonly there: number }[] = [];
  let removed = 0;
  for (const pair of mapping.pairs) {
    const { surplus, own, there } = await surplusOf(pair, source, target);
    if (!isMany(surplus, { there, own })) continue;
    many.push({ pair, own, there });
    removed += surplus;
  }
  if (many.length === 0) return;
  const shown = many.map(
    ({ pair, own, there }) =>
      `${pair.name} ${count(own)} in ${source.side}, ${count(there)} in ${target.side}`,
  );
  throw new Error(
    `the copy does not go on by itself: ${plural(removed, 'row')} of ${target.side} would vanish, since ` +
      `${source.side} has not got them: ${shown.join('; ')}; see that ${source.side} has not lost them, and ` +
      `then: fig backfill ${mapping.capability}`,
  );
}
