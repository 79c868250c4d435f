import type { SideName } from '../../routing/side.ts';
import { sameValue } from './compare.ts';
import type { Row } from './sql-value.ts';
import { belongs } from './mapping.ts';
import type { CopyOf, Pair } from './mapping.ts';

type Resets = Readonly<Record<string, string | number | null | CopyOf>>;

export function isCopy(value: Resets[string]): value is CopyOf {
  return typeof value === 'object' && value !== null;
}

/** What a column pair's columns fall back to in this row. */
export function resetValues(resetTo: Resets = {}, row: Row): Row {
  return Object.fromEntries(
    Object.entries(resetTo).map(([column, value]) => [
      column,
      isCopy(value) ? (row[value.copyOf] ?? null) : value,
    ]),
  );
}

/** Whether a row says more for the pair than what is left when the pair's partner is deleted. */
export function hasData(pair: Pair, side: SideName, row: Row): boolean {
  if (!belongs(pair, side, row)) return false;
  const { resetTo, where } = pair[side];
  if (resetTo === undefined || where !== undefined) return true;
  return Object.entries(resetValues(resetTo, row)).some(
    ([column, value]) => !sameValue(value, row[column] ?? null),
  );
}
