import {
  disjoint,
  hasData,
  isColumnPair,
  isCopy,
  keyOn,
  ownColumns,
  pairColumns,
  pairKeyOf,
  resetValues,
} from '../mapping/index.ts';
import type { Mapping, Pair, PairKey, Row, SqlValue } from '../mapping/index.ts';
import type { SideName } from '../../routing/side.ts';
import type { PairWrite } from './pair-write.ts';

/** Keeps the columns of column pairs whose row is not there: it is still to come, or gone for the moment. */
export interface WaitingColumns {
  keep(columnPair: Pair, key: PairKey, image: Row): void;
  /** Gives back what was kept, and forgets it. */
  take(columnPair: Pair, key: PairKey): Row | undefined;
}

/** A table whose rows are made of a base pair and its column pairs: how a write changes one of them. */
export class SharedTable {
  /** What has to be read of a row before a write. */
  readonly columns: readonly string[];
  readonly #side: SideName;
  readonly #columnPairs: ReadonlyMap<Pair, readonly Pair[]>;

  private constructor(pairs: readonly Pair[], side: SideName) {
    this.#side = side;
    this.columns = [...new Set(pairs.flatMap((pair) => pairColumns(pair, side)))];
    const columnPairs = pairs.filter((pair) => isColumnPair(pair, side));
    const basePairs = pairs.filter((pair) => !isColumnPair(pair, side));
    this.#columnPairs = new Map(
      basePairs.map((pair) => [pair, columnPairs.filter((one) => !disjoint(pair, one, side))]),
    );
  }

  /** @returns undefined for a table without column pairs: there a row is what its pair writes */
  static of({ pairs }: Mapping, side: SideName, table: string): SharedTable | undefined {
    const own = pairs.filter((pair) => pair[side].table === table);
    return own.some((pair) => isColumnPair(pair, side)) ? new SharedTable(own, side) : undefined;
  }

  /**
   * @param row as it is, with all `columns`; undefined where there is none
   * @returns what it is to be; undefined where there is none to be
   */
  after(
    row: Row | undefined,
    { pair, key, image }: PairWrite,
    waiting: WaitingColumns,
  ): Row | undefined {
    const side = this.#side;
    if (!isColumnPair(pair, side)) {
      if (image === null) {
        if (row !== undefined) this.#keepColumnPairs(pair, row, waiting);
        return undefined;
      }
      if (row !== undefined) return this.#changed(pair, row, image);
      return this.#inserted(pair, { ...keyOn(pair, side, key), ...image }, waiting);
    }
    if (image === null) {
      waiting.take(pair, key);
      return row && { ...row, ...resetValues(pair[side].resetTo, row) };
    }
    if (row === undefined) waiting.keep(pair, key, image);
    return row && { ...row, ...image };
  }

  /** What of waiting columns a row may take: the pairs' keys. */
  waitingKeysOf(row: Row): readonly (readonly [Pair, PairKey])[] {
    return [...new Set([...this.#columnPairs.values()].flat())].flatMap((columnPair) => {
      const key = pairKeyOf(columnPair, this.#side, row);
      return key === undefined ? [] : [[columnPair, key] as const];
    });
  }

  /** What column pairs wrote outlives the row: REPLACE, say, deletes and inserts the base pair only. */
  #keepColumnPairs(pair: Pair, row: Row, waiting: WaitingColumns): void {
    for (const columnPair of this.#columnPairsOf(pair)) {
      const key = pairKeyOf(columnPair, this.#side, row);
      if (key === undefined || !hasData(columnPair, this.#side, row)) continue;
      const own = ownColumns(columnPair, this.#side).map((column) => [column, row[column] ?? null]);
      waiting.keep(columnPair, key, Object.fromEntries(own) as Row);
    }
  }

  /** Columns that repeat another one follow it, while their own pair has nothing to say. */
  #changed(pair: Pair, before: Row, image: Row): Row {
    const row: Record<string, SqlValue> = { ...before, ...image };
    for (const columnPair of this.#columnPairsOf(pair)) {
      if (hasData(columnPair, this.#side, before)) continue;
      for (const [column, value] of Object.entries(columnPair[this.#side].resetTo ?? {})) {
        if (isCopy(value) && value.copyOf in image) row[column] = row[value.copyOf] ?? null;
      }
    }
    return row;
  }

  /** A new row starts with what its column pairs are waiting to write, or with what they fall back to. */
  #inserted(pair: Pair, image: Row, waiting: WaitingColumns): Row {
    let row = image;
    for (const columnPair of this.#columnPairsOf(pair)) {
      const key = pairKeyOf(columnPair, this.#side, row);
      const own = key && waiting.take(columnPair, key);
      row = { ...row, ...(own ?? resetValues(columnPair[this.#side].resetTo, row)) };
    }
    return row;
  }

  #columnPairsOf(pair: Pair): readonly Pair[] {
    return this.#columnPairs.get(pair) ?? [];
  }
}
