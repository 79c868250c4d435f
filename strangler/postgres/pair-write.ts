import type { Pair, PairKey, Row } from '../mapping/index.ts';

/** What a pair's columns of a row are to be on this side; without image its partner is gone. */
export interface PairWrite {
  readonly pair: Pair;
  readonly key: PairKey;
  readonly image: Row | null;
}

/** What writes to one table have come to, ready to be carried out. */
export interface TableWrites {
  add(write: PairWrite): void;
  /** Reads what has to be known first; before `add`. */
  load(writes: readonly PairWrite[]): Promise<void>;
  /** Takes rows out, before others come that hold the same unique values. */
  remove(): Promise<void>;
  put(): Promise<void>;
}
