import type { SideName } from '../../routing/side.ts';
import { otherSide } from '../../routing/side.ts';
import { BrokenText, isWhole } from './broken-text.ts';
import { HIDDEN, MappingError, shown } from './codec.ts';
import type { Codec } from './codec.ts';
import type { Row, SqlValue } from './sql-value.ts';
import { columnOn, ownsKey, writes } from './mapping.ts';
import type { Pair } from './mapping.ts';
import { isFreeReal, unlessFree, worthOf } from './sql-value.ts';

/**
 * What the partners of a pair have in common: the values of its key's columns as the legacy side
 * writes them, without constants. Byte order of keys is the order of rows on both sides.
 */
export type PairKey = readonly SqlValue[];

function carried(pair: Pair): readonly Codec[] {
  return pair.key.filter(({ constant }) => constant === undefined);
}

/** Columns of a side that hold the pair's key, in the order of `PairKey`. */
export function keyColumns(pair: Pair, side: SideName): readonly string[] {
  return carried(pair).map((codec) => columnOn(codec, side) ?? '');
}

/** Columns of a side that the pair writes there, besides its key. */
export function ownColumns(pair: Pair, side: SideName): readonly string[] {
  return pair.columns
    .filter((codec) => writes(codec, side))
    .map((codec) => columnOn(codec, side) ?? '');
}

/** Columns of a side that the pair reads there: its key, what it carries, and its filter. */
export function pairColumns(pair: Pair, side: SideName): readonly string[] {
  const mapped = [...pair.key, ...pair.columns].map((codec) => columnOn(codec, side));
  const filtered = Object.keys(pair[side].where ?? {});
  return [...new Set([...mapped.filter((column) => column !== null), ...filtered])];
}

/**
 * The pair's key of a row, or of a row's key in the feed; undefined when it is none of the pair's.
 * @throws MappingError when a key column is NULL, or no text
 */
export function pairKeyOf(pair: Pair, side: SideName, row: Row): PairKey | undefined {
  if (!ownsKey(pair, side, row)) return undefined;
  const key: SqlValue[] = [];
  for (const codec of pair.key) {
    if (codec.constant !== undefined) continue;
    const column = columnOn(codec, side) ?? '';
    const value = row[column] ?? null;
    if (value === null) throw new MappingError(`pair "${pair.name}": key ${column} is NULL`);
    if (!isWhole(value)) {
      throw new MappingError(`pair "${pair.name}": key ${column} is ${shown(value)}`);
    }
    key.push(side === 'legacy' ? value : codec.backward(value));
  }
  return key;
}

/** The same; undefined also for a row that has no partner, since its key can't be carried. */
export function usableKeyOf(pair: Pair, side: SideName, row: Row): PairKey | undefined {
  try {
    return pairKeyOf(pair, side, row);
  } catch (error) {
    if (error instanceof MappingError) return undefined;
    throw error;
  }
}

/** The names of the key's columns on a side, constants included, in the order of `keyOn`. */
export function keyNames(pair: Pair, side: SideName): readonly string[] {
  return pair.key.map((codec) => columnOn(codec, side)).filter((column) => column !== null);
}

/** What the key's columns hold on a side in every row of the pair. */
export function keyConstants(pair: Pair, side: SideName): Row {
  const row: Record<string, SqlValue> = {};
  for (const codec of pair.key) {
    const column = columnOn(codec, side);
    if (codec.constant !== undefined && column !== null) row[column] = codec.constant;
  }
  return row;
}

/**
 * The key's columns and values on a side, constants included.
 * @param key of a row: whoever wants to know of columns only has `keyNames`
 */
export function keyOn(pair: Pair, side: SideName, key: PairKey): Row {
  const row: Record<string, SqlValue> = {};
  let index = 0;
  for (const codec of pair.key) {
    const column = columnOn(codec, side);
    if (codec.constant !== undefined) {
      if (column !== null) row[column] = codec.constant;
      continue;
    }
    const value = key[index++] ?? null;
    if (column !== null) row[column] = side === 'legacy' ? value : codec.forward(value);
  }
  return row;
}

/**
 * What the pair writes on the other side for a row of `from`, its key excluded.
 * @throws MappingError naming pair, row and column when a value can't be carried, or when the
 *   result would lie outside the other side's filter
 */
export function translate(pair: Pair, from: SideName, row: Row): Row {
  const to = otherSide(from);
  const image: Record<string, SqlValue> = {};
  for (const codec of pair.columns) {
    const column = columnOn(codec, to);
    if (column === null || !writes(codec, to)) continue;
    image[column] = carry(codec, from, row);
  }
  const { where } = pair[to];
  if (where === undefined) return image;
  for (const [column, values] of Object.entries(where)) {
    const written = worthOf(image[column] ?? null);
    if (column in image && !(values as readonly SqlValue[]).includes(written)) {
      throw new MappingError(
        `pair "${pair.name}": ${to} ${column} would be ${shown(image[column] ?? null)}, ` +
          `outside the pair's filter`,
      );
    }
  }
  return image;
}

function carry(codec: Codec, from: SideName, row: Row): SqlValue {
  if (codec.constant !== undefined) return codec.constant;
  const value = row[columnOn(codec, from) ?? ''] ?? null;
  if (value === null) return null;
  return carryValue(codec, from, value);
}

/**
 * Takes a value to the other side. No codec has to know of texts that are none, nor of -0, which most
 * would take for 0, nor of 3.0 beside 3: only one that hands values on as they are gets them.
 * @throws MappingError
 */
export function carryValue(codec: Codec, from: SideName, value: SqlValue): SqlValue {
  const odd =
    value instanceof BrokenText ||
    ((Object.is(value, -0) || isFreeReal(value)) && codec.normal === undefined);
  const handsOn = codec.spec['codec'] === 'same';
  if (odd && !handsOn) {
    throw new MappingError(
      `${columnOn(codec, from) ?? ''}: ${codec.secret === true ? HIDDEN : shown(value)} can't be carried`,
    );
  }
  const given = handsOn ? handedOn(codec, value) : worthOf(value);
  return from === 'legacy' ? codec.forward(given) : codec.backward(given);
}

/** What says which values are equal is written for numbers, unless a column tells more of them apart. */
function handedOn({ normal }: Codec, value: SqlValue): SqlValue {
  return normal === undefined ? value : unlessFree(value);
}
