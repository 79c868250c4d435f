import { belongs, pairKeyOf, translate } from '../mapping/index.ts';
import type { Mapping, Pair, PairKey, Row } from '../mapping/index.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import type { Change } from '../ledger/store.ts';

/** What a pair's columns of a row are to be on this side; without image its partner is gone. */
export interface PairWrite {
  readonly pair: Pair;
  readonly key: PairKey;
  readonly image: Row | null;
}

/**
 * What a change of the owner comes to for a pair of its table; undefined when it is none of the pair's.
 * @throws MappingError
 */
export function pairWriteOf(pair: Pair, source: SideName, change: Change): PairWrite | undefined {
  const row = change.op === 'delete' ? null : (change.image as Row | null);
  // An image holds its row's key as well, and parsing the other one takes time.
  const key = pairKeyOf(pair, source, row ?? (change.key as Row));
  if (key === undefined) return undefined;
  const there = row !== null && belongs(pair, source, row);
  return { pair, key, image: there ? translate(pair, source, row) : null };
}

/** What a change of the owner comes to on this side, pair by pair. @throws MappingError */
export function pairWritesOf({ pairs }: Mapping, side: SideName, change: Change): PairWrite[] {
  const source = otherSide(side);
  const writes: PairWrite[] = [];
  for (const pair of pairs) {
    if (pair[source].table !== change.table) continue;
    const write = pairWriteOf(pair, source, change);
    if (write !== undefined) writes.push(write);
  }
  return writes;
}
