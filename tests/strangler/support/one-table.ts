import { defineMapping, same } from '../../../strangler/mapping/index.ts';
import type { Mapping, PairSide } from '../../../strangler/mapping/index.ts';

interface OneTable {
  readonly capability: string;
  /** The table, on both sides; also the pair's name unless there is one. */
  readonly table: string;
  readonly name?: string;
  /** The only column of its key. */
  readonly key?: string;
  readonly columns?: readonly string[];
  /** What legacy declares about foreign keys across the border. */
  readonly references?: PairSide['references'];
}

/** A mapping of one table that looks the same on both sides, for tests of something else. */
export function oneTable({
  capability,
  table,
  name = table,
  key = 'k',
  columns = [],
  references,
}: OneTable): Mapping {
  return defineMapping({
    capability,
    pairs: [
      {
        name,
        legacy: { table, ...(references && { references }) },
        extracted: { table },
        key: [same(key, key)],
        columns: columns.map((column) => same(column, column)),
      },
    ],
  });
}
