import { isCopy, writes } from '../../mapping/index.ts';
import type { Pair } from '../../mapping/index.ts';
import type { SideName } from '../../../routing/side.ts';
import { filterSql, literal } from './filter-sql.ts';
import { name } from './values.ts';

/** A column that repeats another one of its row for as long as its pair has nothing to say. */
export interface Follower {
  /** SQL to set it; one parameter: the new value of `of`. */
  readonly set: string;
  readonly of: string;
}

/**
 * Columns of column pairs that fall back to what a base pair's column says: when the base pair writes that
 * column, they have to follow, unless their pair's partner is there and says otherwise.
 */
export function followersOf(
  basePair: Pair,
  columnPairs: readonly Pair[],
  side: SideName,
): Follower[] {
  const own = new Set(
    basePair.columns.filter((codec) => writes(codec, side)).map((codec) => codec[side]),
  );
  return columnPairs.flatMap((columnPair) =>
    Object.entries(columnPair[side].resetTo ?? {}).flatMap(([column, value]): Follower[] => {
      if (!isCopy(value) || !own.has(value.copyOf)) return [];
      const set = `${name(column)} = CASE WHEN ${absentSql(columnPair, side)} THEN ? ELSE ${name(column)} END`;
      return [{ set, of: value.copyOf }];
    }),
  );
}

/** Whether a row, as it was, says nothing for a column pair. */
function absentSql(columnPair: Pair, side: SideName): string {
  const { where, resetTo = {} } = columnPair[side];
  if (where !== undefined) return `(${filterSql(columnPair, side)}) IS NOT TRUE`;
  return Object.entries(resetTo)
    .map(([column, value]) => {
      const reset = isCopy(value) ? name(value.copyOf) : literal(value);
      return `${name(column)} IS ${reset}`;
    })
    .join(' AND ');
}
