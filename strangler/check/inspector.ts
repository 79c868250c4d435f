import type { MappingProblem, Pair, Row, SqlValue } from '../mapping/index.ts';
import type { SideName } from '../../routing/side.ts';
import type { Step } from './step.ts';

/** A trigger on a moved table that is not Fig's; it fires for applied rows, too. */
export interface ForeignTrigger {
  readonly side: SideName;
  readonly table: string;
  readonly trigger: string;
  /** Why that may be, by the mapping; null when it does not say. */
  readonly reason: string | null;
}

/** What `fig check` asks of one side's database. Nothing here writes to what is there. */
export interface SideInspector {
  readonly side: SideName;
  /** What keeps the mapping from being used with this schema. */
  problems(): Promise<readonly MappingProblem[]>;
  triggers(): Promise<readonly ForeignTrigger[]>;
  /** What a column holds after it was given each of the values, in their order, or why it does not take one. */
  stored(table: string, column: string, values: readonly SqlValue[]): Promise<readonly Step[]>;
  /** Values that the column is declared for, and that columns of other types may not hold. */
  probes(table: string, column: string): readonly SqlValue[];
  /** The only values the column may have, where a CHECK lists them. */
  listed(table: string, column: string): readonly SqlValue[] | null;
  isNullable(table: string, column: string): boolean;
  /** Whether it takes only texts of one form, such as a UUID or a label: any other probe proves nothing. */
  isFormed(table: string, column: string): boolean;
  /** Columns of each unique index. */
  uniqueColumns(table: string): readonly (readonly string[])[];
  /** Those of which the index takes values for equal that differ: 'a' and 'A', say. */
  foldedColumns(table: string): readonly (readonly string[])[];
  /** Those that are asked for at the end of a statement or a transaction only, not for each row. */
  lateColumns(table: string): readonly (readonly string[])[];
  count(table: string): Promise<number>;
  /** Rows whose key has a NULL in it, by which no partner could be found. */
  countWithoutKey(table: string): Promise<number>;
  /** All columns the mapping reads, in the order of keys; from the start, or after a row's key. */
  rows(table: string, after: Row | null, limit: number): Promise<readonly Row[]>;
  /** Values of these columns that several of the pair's rows share; NULLs are like nothing else. */
  duplicate(pair: Pair, columns: readonly string[]): Promise<Row | undefined>;
  /** Everything that installing creates here, as SQL, in order. */
  creates(): Promise<readonly string[]>;
  /** What the engine must be allowed to do here. */
  grants(): readonly string[];
  close(): Promise<void>;
}
