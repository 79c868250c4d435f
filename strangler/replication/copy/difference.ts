import { errorText } from '../../../chassis/index.ts';
import {
  columnOn,
  differInKind,
  hasData,
  sameFor,
  sameValue,
  translate,
  writes,
} from '../../mapping/index.ts';
import type { Pair, Row, SqlValue } from '../../mapping/index.ts';
import { otherSide } from '../../../routing/side.ts';
import type { SideName } from '../../../routing/side.ts';
import type { Partners } from './merge.ts';

export type DifferenceKind = 'missing' | 'extra' | 'different';

export interface Difference {
  readonly kind: DifferenceKind;
  /** The target's columns that are not what the mapping makes of the source's row. */
  readonly columns: readonly string[];
  /** Why the source's row can't be brought over at all; null where it can. */
  readonly reason: string | null;
  /** What the mapping makes of the source's row; null where there is none, or it can't be carried. */
  readonly image: Row | null;
}

/** How the target's row differs from what the mapping makes of the source's; null when it doesn't. */
export function differenceOf(
  pair: Pair,
  owner: SideName,
  { source, target }: Pick<Partners, 'source' | 'target'>,
): Difference | null {
  if (source === undefined) {
    const extra = target !== undefined && hasData(pair, otherSide(owner), target);
    return extra ? { kind: 'extra', columns: [], reason: null, image: null } : null;
  }
  const image = imageOf(pair, owner, source);
  if (typeof image === 'string') {
    return { kind: 'different', columns: [], reason: image, image: null };
  }
  if (target === undefined) {
    const missed = !pair[otherSide(owner)].optional || hasData(pair, owner, source);
    return missed ? { kind: 'missing', columns: [], reason: null, image } : null;
  }
  const changed = Object.entries(image)
    .filter(([column, value]) => !isSame(pair, otherSide(owner), column, value, target[column]))
    .map(([column]) => column);
  const columns = [...keyColumnsThatDiffer(pair, owner, source, target), ...changed];
  return columns.length > 0 ? { kind: 'different', columns, reason: null, image } : null;
}

/** Keys that find each other may still be of two kinds, where a column takes 3 and 3.0. */
function keyColumnsThatDiffer(pair: Pair, owner: SideName, source: Row, target: Row): string[] {
  return pair.key.flatMap((codec) => {
    const [here, there] = [columnOn(codec, owner), columnOn(codec, otherSide(owner))];
    if (here === null || there === null) return [];
    return differInKind(source[here] ?? null, target[there] ?? null) ? [there] : [];
  });
}

function isSame(
  pair: Pair,
  side: SideName,
  column: string,
  value: SqlValue,
  there: SqlValue = null,
): boolean {
  if (sameValue(value, there)) return true;
  const codec = pair.columns.find((one) => columnOn(one, side) === column && writes(one, side));
  return codec !== undefined && sameFor(codec, value, there);
}

function imageOf(pair: Pair, owner: SideName, row: Row): Row | string {
  try {
    return translate(pair, owner, row);
  } catch (error) {
    return errorText(error);
  }
}
