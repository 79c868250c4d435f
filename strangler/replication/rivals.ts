import { isColumnPair, pairKeyOf, sameValue, worthOf } from '../mapping/index.ts';
import type { Mapping, Row } from '../mapping/index.ts';
import type { SideName } from '../../routing/side.ts';
import type { PairWrite } from './pair-write.ts';

/** The values that unique indexes let no other row have: those of each index, unless one of them is NULL. */
export function uniqueValuesOf(row: Row, unique: readonly (readonly string[])[]): readonly Row[] {
  return unique
    .map((columns): Row =>
      Object.fromEntries(columns.map((column) => [column, row[column] ?? null])),
    )
    .filter((values) => !Object.values(values).includes(null));
}

/** Whether a row is the one with this key. */
export function hasKey(row: Row, key: Row): boolean {
  return Object.entries(key).every(([column, value]) =>
    sameValue(worthOf(row[column] ?? null), worthOf(value)),
  );
}

/** What takes a row out of its table. */
export function removalsOf(
  { pairs }: Mapping,
  side: SideName,
  table: string,
  row: Row,
): readonly PairWrite[] {
  return pairs
    .filter((pair) => pair[side].table === table && !isColumnPair(pair, side))
    .flatMap((pair) => {
      const key = pairKeyOf(pair, side, row);
      return key === undefined ? [] : [{ pair, key, image: null }];
    });
}
