import { Problem } from '../../chassis/index.ts';
import { partingOf } from '../copy/index.ts';
import { plural } from '../wording.ts';
import { otherSide } from '../side.ts';
import type { SideName } from '../side.ts';
import { fencesOf } from './plane.ts';
import type { Plane } from './plane.ts';
import { ownerOf } from './stage.ts';

/** Rows of one pair on both sides. */
interface PairCounts extends Readonly<Record<SideName, number>> {
  readonly pair: string;
  /** How many the side that follows has and the owner has not: these have to vanish. */
  readonly removed: number;
}

/** What is lost when the owner's rows replace those of the other side. */
export interface RemovalPlan {
  readonly capability: string;
  /** The owner. */
  readonly from: SideName;
  readonly to: SideName;
  readonly pairs: readonly PairCounts[];
  readonly removed: number;
  /** When each side took its newest write that its feed still knows of, in ms since 1970. */
  readonly newest: Readonly<Record<SideName, number | null>>;
}

/** Nobody waits longer than this for the comparison; milliseconds. */
const COMPARE_MS = 120_000;
/** Of a pair's rows, this share may vanish without a word: copies are a little behind. */
const FEW_PERCENT = 1;
/** And so many in any case. */
const FEW = 5;

/** Counts and compares both sides. @throws Problem `no_owner` while nobody can say whose rows are right */
export async function planRemoval(plane: Plane): Promise<RemovalPlan> {
  const { sides, data } = plane;
  const { mapping, capability } = data;
  const from = ownerOf(await fencesOf(plane));
  if (from === null) {
    const members = { capability, next: `fig doctor ${capability}` };
    throw new Problem(409, 'no_owner', `${capability} has not exactly one owner`, { members });
  }
  const to = otherSide(from);
  const { only } = await partingOf(mapping, sides, AbortSignal.timeout(COMPARE_MS));
  const counted: PairCounts[] = [];
  for (const pair of mapping.pairs) {
    const count = (side: SideName): Promise<number> =>
      sides[side].snapshot((snapshot) => snapshot.count(pair));
    const [legacy, extracted] = [await count('legacy'), await count('extracted')];
    const both = { legacy, extracted };
    counted.push({ pair: pair.name, ...both, removed: only[to].byPair[pair.name] ?? 0 });
  }
  const newest = {
    legacy: await sides.legacy.feed.newest(),
    extracted: await sides.extracted.feed.newest(),
  };
  const removed = counted.reduce((sum, pair) => sum + pair.removed, 0);
  return { capability, from, to, pairs: counted, removed, newest };
}

/**
 * Refuses to replace the rows of the side that follows where more than a few of them would vanish:
 * then it is more likely that the owner has lost them.
 * @param deleteRows the number that a person has named, which then has to be exactly that
 * @throws Problem `would_delete_rows`, which says how to go on
 */
export async function refuseRemoval(plane: Plane, deleteRows?: number): Promise<RemovalPlan> {
  const plan = await planRemoval(plane);
  const { capability, from, to, pairs, removed } = plan;
  if (deleteRows === removed) return plan;
  const many = pairs.filter((pair) => pair.removed > Math.max(FEW, (pair[to] * FEW_PERCENT) / 100));
  const emptied = pairs.filter((pair) => pair.removed > 0 && pair[from] === 0);
  if (deleteRows === undefined && many.length === 0 && emptied.length === 0) return plan;
  const shown = pairs
    .filter((pair) => pair.removed > 0)
    .map((pair) => `${pair.pair} ${pair[from]} in ${from}, ${pair[to]} in ${to}`)
    .join('; ');
  const detail =
    `${plural(removed, 'row')} of ${to} would vanish, since ${from} has not got them: ${shown || 'none'}; ` +
    `see that ${from} has not lost them, and then name the number: --delete-rows ${removed}`;
  const members = {
    capability,
    removed,
    pairs,
    newest: plan.newest,
    next: `fig doctor ${capability}`,
  };
  throw new Problem(409, 'would_delete_rows', detail, { members });
}
