import { BrokenText } from './broken-text.ts';
import type { Codec, SqlValue } from './codec.ts';
import type { PairKey } from './translate.ts';

/** Orders keys as both databases do: numbers before text before bytes, text by its UTF-8 bytes. */
export function compareKeys(left: PairKey, right: PairKey): number {
  for (const [index, value] of left.entries()) {
    const order = compareValues(value, right[index] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

function rank(value: SqlValue): number {
  if (value === null) return 0;
  if (typeof value === 'number' || typeof value === 'bigint') return 1;
  return typeof value === 'string' || value instanceof BrokenText ? 2 : 3;
}

function compareValues(left: SqlValue, right: SqlValue): number {
  const byRank = rank(left) - rank(right);
  if (byRank !== 0 || left === null || right === null) return byRank;
  if (rank(left) === 1) {
    // What is no number is only itself, and comes after all that are, as PostgreSQL has it.
    const nan = Number(Number.isNaN(left)) - Number(Number.isNaN(right));
    if (nan !== 0) return nan;
    return left < right ? -1 : Number(left > right);
  }
  // UTF-16 order differs from UTF-8 order beyond the basic capability.
  return Buffer.compare(Buffer.from(left as string), Buffer.from(right as string));
}

/**
 * Whether two values are the same, as far as either database can tell: 1 is 1.0, but not '1', and
 * -0 is not 0.
 */
export function sameValue(left: SqlValue, right: SqlValue): boolean {
  if (Object.is(left, -0) !== Object.is(right, -0)) return false;
  return left === right || compareValues(left, right) === 0;
}

/** The same for values of a codec, which may declare more of them to be equal. */
export function sameFor(
  { normal }: Pick<Codec, 'normal'>,
  left: SqlValue,
  right: SqlValue,
): boolean {
  if (sameValue(left, right)) return true;
  if (normal === undefined || left === null || right === null) return false;
  return sameValue(normal(left), normal(right));
}
