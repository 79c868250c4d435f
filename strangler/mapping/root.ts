import type { SideName } from '../side.ts';
import type { Row, SqlValue } from './codec.ts';
import { columnOn } from './mapping.ts';
import type { Mapping, Pair } from './mapping.ts';
import { encodeValues } from './row-json.ts';
import { pairKeyOf } from './translate.ts';
import type { PairKey } from './translate.ts';

/** Finds a row of a pair when a change does not say enough; undefined when there is none. */
export type FindRow = (pair: Pair, key: PairKey) => Row | undefined;

/**
 * Names the aggregate that a changed row belongs to, by the pair of its root and the root's key.
 * Changes of one aggregate keep their order even when one of them can't be applied.
 * @param row the row's image, or its key alone where the row is gone
 * @param find looks for the row on the other side
 */
export function rootOf(
  mapping: Pick<Mapping, 'pairs'>,
  side: SideName,
  table: string,
  row: Row,
  find: FindRow,
): string {
  for (const pair of mapping.pairs) {
    if (pair[side].table !== table) continue;
    const key = keyOrNothing(pair, side, row);
    if (key === undefined) continue;
    if (pair.partOf === undefined) return `${pair.name} ${encodeValues(key)}`;
    const root = partOfKey(pair, pair.partOf.by, side, row) ?? foundKey(pair, side, key, find);
    return root ? `${pair.partOf.pair} ${encodeValues(root)}` : `${pair.name} ${encodeValues(key)}`;
  }
  return `${table} ${encodeValues(Object.values(row))}`;
}

/** A row that can't even be named by its key is an aggregate of its own. */
function keyOrNothing(pair: Pair, side: SideName, row: Row): PairKey | undefined {
  try {
    return pairKeyOf(pair, side, row);
  } catch {
    return undefined;
  }
}

function foundKey(pair: Pair, side: SideName, key: PairKey, find: FindRow): PairKey | undefined {
  const partner = find(pair, key);
  const by = pair.partOf?.by ?? [];
  return partner && partOfKey(pair, by, side === 'legacy' ? 'extracted' : 'legacy', partner);
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
      values.push(side === 'legacy' ? value : codec.backward(value));
    } catch {
      return undefined;
    }
  }
  return values;
}
