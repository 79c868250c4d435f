import type { Demand } from '../ownership/handover/gates.ts';
import type { RowName } from '../row-name.ts';
import type { Change } from '../ledger/store.ts';

/** Where a database gives out ids by itself. */
export interface Sequence {
  readonly table: string;
  readonly column: string;
  /** The highest id that was given out, or that a row has. */
  readonly at: bigint;
}

/** Figures of one moment. */
export interface Measured {
  /** Last position of this side's own feed. */
  readonly position: number;
  /** How far the other side's feed has been applied here. */
  readonly applied: number;
  /** For each query its only row as text, or why there is none. */
  readonly figures: readonly ({ readonly text: string } | { readonly problem: string })[];
}

/** What the gates of a handover ask of one side's database; none of it changes a business row. */
export interface SideChecks {
  /** How the schema differs from what was installed on, Fig's own triggers included. */
  drift(): Promise<readonly string[]>;
  /**
   * Installs again on the schema as it is now. What happened meanwhile may not have been captured,
   * so a full comparison is demanded.
   * @throws ConfigurationError when the mapping can't be used with it
   */
  accept(): Promise<void>;
  /** Those that promise never to give out an id twice. */
  sequences(): Promise<readonly Sequence[]>;
  /** Has ids given out above `at`; never moves a generator back. */
  moveSequences(to: readonly Sequence[]): Promise<void>;
  /**
   * Rows that refer to others which are gone, by foreign keys between tables that move and tables that do
   * not: nobody keeps these in step once the other side owns the one. One text for each such key.
   */
  dangling(): Promise<readonly string[]>;
  /** The newest demand of a full comparison; null when there never was one. */
  demand(): Promise<Demand | null>;
  demandReconcile(reason: string): Promise<void>;
  /** ms since 1970 by this database's clock, by which a demand is dated. */
  clock(): Promise<number>;
  /** @param queries each gives one row */
  measure(queries: readonly string[]): Promise<Measured>;
  /** What this side's feed would record if these rows were written here now; nothing stays. */
  tryCapture(rows: readonly RowName[]): Promise<readonly Change[]>;
  /** Applies changes of the other side here and takes them back. @throws what applying throws */
  tryApply(changes: readonly Change[]): Promise<void>;
}
