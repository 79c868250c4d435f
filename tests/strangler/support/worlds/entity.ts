import type { Dialect } from '../../../../chassis/index.ts';
import type { Pair, SqlValue } from '../../../../strangler/mapping/index.ts';
import type { SideName } from '../../../../routing/side.ts';
import type { Facet, Value } from './facet.ts';

/** A thing of the business as it is: told apart by its key, with a part that may be missing. */
export interface Thing {
  readonly key: readonly Value[];
  readonly values: readonly Value[];
  readonly part: readonly Value[] | null;
}

export type Cells = Readonly<Record<string, SqlValue>>;

/** What one table of one side shows of things of one kind. */
export interface View {
  readonly table: string;
  /** `CREATE TABLE` in the words of each dialect; the same text for two views of one table. */
  readonly ddl: Readonly<Record<Dialect, string>>;
  /** Columns and values that find a thing's row. */
  keyOf(key: readonly Value[]): Cells;
  /** The thing's whole row, key included; null where it has none. */
  rowOf(thing: Thing): Cells | null;
  /** SQL for the rows that are of this kind; all of the table's where it is left out. */
  readonly only?: string;
  /** Columns that are compared; others are nobody's. */
  readonly columns: readonly string[];
  /** Whether a row that is there says no more than one that is missing. */
  says?(row: Cells): boolean;
}

/** A kind of things, how both sides keep them, and the pairs that say so to the mapping. */
export interface Entity {
  readonly name: string;
  readonly keys: readonly Facet[];
  readonly facets: readonly Facet[];
  /** Facets of the part; empty where there is none. */
  readonly parts: readonly Facet[];
  /** Whether a thing may be without its part. */
  readonly partOptional: boolean;
  readonly views: Readonly<Record<SideName, readonly View[]>>;
  readonly pairs: readonly Pair[];
  /** Puts a thing into order that was drawn freely: a pending payment was never settled. */
  readonly settle?: (thing: Thing) => Thing;
}
