import { belongs, pairKeyOf, translate } from '../../mapping/index.ts';
import type { Pair, PairKey, Row } from '../../mapping/index.ts';
import type { SideName } from '../../../routing/side.ts';
import type { Change } from '../../ledger/store.ts';

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
export function pairWriteOf(
  pair: Pair,
  source: SideName,
  { op, image, key: rowKey }: Change,
): PairWrite | undefined {
  const row = op === 'delete' ? null : (image as Row | null);
  const key = pairKeyOf(pair, source, row ?? (rowKey as Row));
  if (key === undefined) return undefined;
  const there = row !== null && belongs(pair, source, row);
  return { pair, key, image: there ? translate(pair, source, row) : null };
}

/** Writes to one table, ready to be carried out. */
export interface TableWrites {
  /** Takes rows out, before others come that hold the same unique values. */
  remove(): Promise<void>;
  put(): Promise<void>;
}

/** Writes to one table that are gathered pair by pair. */
export interface PairWrites extends TableWrites {
  add(write: PairWrite): void;
  /** Reads what has to be known first; before `add`. */
  load(writes: readonly PairWrite[]): Promise<void>;
}
