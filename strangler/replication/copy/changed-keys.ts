import { encodeValues } from '../../mapping/index.ts';
import type { Pair, PairKey } from '../../mapping/index.ts';
import type { Snapshot } from '../../sides/side-database.ts';

/** The epoch of a key's newest change after what the target has applied; undefined where there is none. */
export type NewestEpoch = (key: PairKey) => number | undefined;

interface Newest {
  readonly position: number;
  readonly epoch: number;
}

/**
 * What the owner's feed names of a pair, over a whole comparison. Where the feed lags, each chunk would
 * read all of it again: it is remembered, and each look reads what came since the last one.
 */
export class ChangedKeys {
  readonly #pair: Pair;
  readonly #newest = new Map<string, Newest>();
  /** Everything between these positions is known. */
  #after = 0;
  #upto = 0;

  constructor(pair: Pair) {
    this.#pair = pair;
  }

  /** @param applied how far the target has applied the owner's feed */
  async since(
    snapshot: Pick<Snapshot, 'last' | 'changedSince'>,
    applied: number,
  ): Promise<NewestEpoch> {
    if (applied < this.#after || applied > this.#upto) this.#beginAt(applied);
    const passing = await this.#readOn(snapshot);
    return (key) => {
      const name = encodeValues(key);
      const newest = this.#newest.get(name);
      const known = newest && newest.position > applied ? newest.epoch : undefined;
      return passing.get(name) ?? known;
    };
  }

  /** What lies before is applied, and what lies between was not read. */
  #beginAt(applied: number): void {
    this.#newest.clear();
    this.#after = applied;
    this.#upto = applied;
  }

  /** @returns epochs of changes that have no position yet: the next look finds them again, with one */
  async #readOn(
    snapshot: Pick<Snapshot, 'last' | 'changedSince'>,
  ): Promise<ReadonlyMap<string, number>> {
    const passing = new Map<string, number>();
    const last = await snapshot.last();
    for (const { key, epoch, position } of await snapshot.changedSince(this.#pair, this.#upto)) {
      const name = encodeValues(key);
      if (position === null) passing.set(name, epoch);
      else this.#newest.set(name, { position, epoch });
    }
    this.#upto = Math.max(this.#upto, last);
    return passing;
  }
}
