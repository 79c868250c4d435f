import type { Pair, PairKey } from '../../mapping/index.ts';
import type { SideDatabase } from '../../sides/side-database.ts';

/** Rows that are compared at one go before some are left out. */
const STRETCH = 200;
/** Pairs with no more rows than this are compared as a whole: a share of them would say little. */
const SMALL = 1_000;

/** Says where the next stretch of rows to compare begins. */
export interface Sampler {
  /** Whether nothing is left out. */
  readonly all: boolean;
  /** The key after which to go on; `end` when no row is left. */
  skip(after: PairKey | null): Promise<PairKey | null | 'end'>;
}

const everything: Sampler = { all: true, skip: async (after) => after };

/** Spreads a share of a pair's rows evenly over its keys, from a beginning that chance decides. */
export async function samplerOf(
  { source, sample }: { readonly source: SideDatabase; readonly sample?: number | undefined },
  pair: Pair,
): Promise<Sampler> {
  if (sample === undefined || sample >= 100) return everything;
  if ((await source.snapshot((snapshot) => snapshot.count(pair))) <= SMALL) return everything;
  const leftOut = Math.round(STRETCH * (100 / sample - 1));
  let next = Math.floor(Math.random() * leftOut);
  return {
    all: false,
    async skip(after) {
      const rows = next;
      next = leftOut;
      if (rows === 0) return after;
      return (await source.snapshot((snapshot) => snapshot.keyAt(pair, after, rows))) ?? 'end';
    },
  };
}
