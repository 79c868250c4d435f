import type { NotComparable } from '../route/index.ts';
import type { Difference } from './compare.ts';

/** Why nothing was compared. */
export type NotCompared =
  /** Known before any side is asked. */
  | NotComparable
  /** Too many comparisons at once, or clients wait for a connection. */
  | 'busy'
  /** A body over the limit: 256 KB of the answer that a client got, 1 MB of the other, 8 MB decoded, or 1 MB where they differ. */
  | 'too_large'
  /** The body of the request was too large to be sent again. */
  | 'request_body'
  /** A Content-Encoding that is not known, or does not fit its body. */
  | 'encoding'
  /** The client did not get a whole answer. */
  | 'cut_off'
  /** No side answered. */
  | 'unanswered';

/** Two answers that should be equal and are not. */
export interface Mismatch {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly differences: readonly Difference[];
}

/** What came of the experiments with one capability. */
export interface Findings {
  compared: number;
  matched: number;
  mismatched: number;
  /** The data changed each time they were compared. */
  unsettled: number;
  /** The other side did not answer. */
  errors: number;
  /** Not compared, in all and by reason. */
  skipped: number;
  readonly notCompared: Partial<Record<NotCompared, number>>;
  /** The newest last. */
  readonly mismatches: Mismatch[];
}

export function noFindings(): Findings {
  return {
    compared: 0,
    matched: 0,
    mismatched: 0,
    unsettled: 0,
    errors: 0,
    skipped: 0,
    notCompared: {},
    mismatches: [],
  };
}
