import type { Fence } from '../../../chassis/index.ts';
import type { HandoverRecord } from '../../ledger/store.ts';

/** An unfinished handover, as far as the next step depends on it. */
export type Unfinished = Pick<HandoverRecord, 'epoch' | 'position'>;

/**
 * All that the next step of a handover depends on. Both databases are read one after the other,
 * so the facts may never have been true at one moment; compare-and-set makes that harmless.
 */
export interface Facts {
  /** The fence of the side that gives ownership up. */
  readonly source: Fence;
  /** The fence of the side that takes it. */
  readonly target: Fence;
  readonly handover: Unfinished | null;
  /** How far the source's feed has been applied at the target. */
  readonly applied: number;
  /** Whether this run has flushed what was applied to the target's disk. */
  readonly settled: boolean;
  /** Why this handover should be aborted before its commit point; null: go on. */
  readonly abort: string | null;
  /** Whether this run has told the facades to hold writes. It is not stored: telling them twice is harmless. */
  readonly held: boolean;
  /** Whether this run has told the facades the outcome. It is not stored either. */
  readonly published: boolean;
}
