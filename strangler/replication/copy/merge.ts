import { compareKeys } from '../../mapping/index.ts';
import type { PairKey, Row } from '../../mapping/index.ts';
import type { PairRow } from '../../sides/side-database.ts';

/** Partners under one key; at least one of them is there. */
export interface Partners {
  readonly key: PairKey;
  readonly source: Row | undefined;
  readonly target: Row | undefined;
}

export interface Merged {
  readonly partners: readonly Partners[];
  /** Whether both sides were read to their ends. */
  readonly complete: boolean;
}

/**
 * Joins one piece of each side, both read from the same key on with the same limit. Where a side
 * was cut off by the limit, nothing after its last key is known, so the join ends there.
 */
export function mergeRows(
  source: readonly PairRow[],
  target: readonly PairRow[],
  limit: number,
): Merged {
  const sourceCut = source.length >= limit;
  const targetCut = target.length >= limit;
  const partners: Partners[] = [];
  let [left, right] = [0, 0];
  for (;;) {
    const [s, t] = [source[left], target[right]];
    if (s === undefined && (sourceCut || t === undefined)) break;
    if (t === undefined && targetCut) break;
    const order = s === undefined ? 1 : t === undefined ? -1 : compareKeys(s.key, t.key);
    if (order <= 0) left += 1;
    if (order >= 0) right += 1;
    partners.push({
      key: (order <= 0 ? s : t)?.key ?? [],
      source: order <= 0 ? s?.row : undefined,
      target: order >= 0 ? t?.row : undefined,
    });
  }
  return { partners, complete: !sourceCut && !targetCut };
}
