import { BrokenText } from './broken-text.ts';
import type { Codec } from './codec.ts';
import type { SqlValue } from './sql-value.ts';
import type { PairKey } from './translate.ts';
import { differInKind, unlessFree, worthOf } from './sql-value.ts';

/** Orders keys as both databases do: numbers before text before bytes, text by its UTF-8 bytes. */
export function compareKeys(left: PairKey, right: PairKey): number {
  for (const [index, value] of left.entries()) {
    const order = compareValues(worthOf(value), worthOf(right[index] ?? null));
    if (order !== 0) return order;
  }
  return 0;
}

type Worth = ReturnType<typeof worthOf>;

function rank(value: Worth): number {
  if (value === null) return 0;
  if (typeof value === 'number' || typeof value === 'bigint') return 1;
  return typeof value === 'string' || value instanceof BrokenText ? 2 : 3;
}

function compareValues(left: Worth, right: Worth): number {
  const byRank = rank(left) - rank(right);
  if (byRank !== 0 || left === null || right === null) return byRank;
  if (rank(left) === 1) {
    // What is no number is only itself, and comes after all that are, as PostgreSQL has it.
    const nan = Number(Number.isNaN(left)) - Number(Number.isNaN(right));
    if (nan !== 0) return nan;
    return left < right ? -1 : Number(left > right);
  }
  // UTF-16 order differs from UTF-8 order beyond the Basic Multilingual Plane.
  return Buffer.compare(Buffer.from(left as string), Buffer.from(right as string));
}

/**
 * Whether two values are the same, as far as either database can tell: -0 is not 0, 1 is not '1', and 1.0
 * only where a column's type makes the one of the other.
 */
export function sameValue(left: SqlValue, right: SqlValue): boolean {
  if (Object.is(left, -0) !== Object.is(right, -0)) return false;
  if (left === right) return true;
  return !differInKind(left, right) && compareValues(worthOf(left), worthOf(right)) === 0;
}

/** The same for values of a codec, which may declare more of them to be equal. */
export function sameFor(
  { normal }: Pick<Codec, 'normal'>,
  left: SqlValue,
  right: SqlValue,
): boolean {
  if (sameValue(left, right)) return true;
  if (normal === undefined || left === null || right === null) return false;
  return sameValue(normal(unlessFree(left)), normal(unlessFree(right)));
}
