import type { SideName } from '../../routing/side.ts';
import { otherSide } from '../../routing/side.ts';
import type { Row, SqlValue } from './sql-value.ts';
import { columnOn } from './mapping.ts';
import type { Mapping, Pair } from './mapping.ts';
import { encodeValues } from './row-json.ts';
import { usableKeyOf } from './translate.ts';
import type { PairKey } from './translate.ts';
import { worthOf } from './sql-value.ts';

/** Asks for a row of a pair on the other side, where a change does not say enough. */
export interface RootQuestion {
  readonly pair: Pair;
  readonly key: PairKey;
  /** The aggregate's name, when that row is known; undefined when there is none. */
  readonly answer: (row: Row | undefined) => string;
}

/**
 * Names the aggregate that a changed row belongs to, by the pair of its root and the root's key.
 * Changes of one aggregate keep their order even when one of them can't be applied.
 * @param row the row's image, or its key alone where the row is gone
 * @returns its name, or what has to be known for it
 */
export function rootOf(
  mapping: Pick<Mapping, 'pairs'>,
  side: SideName,
  table: string,
  row: Row,
): string | RootQuestion {
  for (const pair of mapping.pairs) {
    if (pair[side].table !== table) continue;
    const key = usableKeyOf(pair, side, row);
    if (key === undefined) continue;
    if (pair.partOf === undefined) return `${pair.name} ${encodeValues(key)}`;
    const { pair: whole, by } = pair.partOf;
    const named = (root: PairKey | undefined): string =>
      root ? `${whole} ${encodeValues(root)}` : `${pair.name} ${encodeValues(key)}`;
    const root = partOfKey(pair, by, side, row);
    if (root !== undefined) return named(root);
    const answer = (partner: Row | undefined): string =>
      named(partner && partOfKey(pair, by, otherSide(side), partner));
    return { pair, key, answer };
  }
  return `${table} ${encodeValues(Object.values(row))}`;
}

/** The root's key, as the legacy side writes it; undefined when the row does not hold all of it. */
function partOfKey(
  pair: Pair,
  by: readonly string[],
  side: SideName,
  row: Row,
): PairKey | undefined {
  const values: SqlValue[] = [];
  for (const legacy of by) {
    const codec = [...pair.key, ...pair.columns].find((candidate) => candidate.legacy === legacy);
    const value = row[(codec && columnOn(codec, side)) ?? ''] ?? null;
    if (codec === undefined || value === null) return undefined;
    try {
      values.push(side === 'legacy' ? value : codec.backward(worthOf(value)));
    } catch {
      return undefined;
    }
  }
  return values;
}
