import type { SideName } from '../../../routing/side.ts';
import type { DifferenceKind } from './difference.ts';

/** A row whose partners differ, with both as they are; for people, and for repairs. */
export interface DifferingRow {
  readonly pair: string;
  readonly kind: DifferenceKind | 'unsettled';
  readonly key: unknown;
  readonly columns: readonly string[];
  readonly reason: string | null;
  /** The owner's row, and the other side's. */
  readonly source: unknown;
  readonly target: unknown;
}

export interface PairReport {
  readonly pair: string;
  /** The owner's rows that were compared. */
  readonly rows: number;
  readonly missing: number;
  readonly extra: number;
  readonly different: number;
  /** Rows that changed so fast that no two moments could be compared. */
  readonly unsettled: number;
}

/** What comparing both sides row by row, through the mapping, has found. */
export interface ReconcileReport {
  readonly capability: string;
  readonly owner: SideName;
  readonly clean: boolean;
  readonly pairs: readonly PairReport[];
  /** The first of the differing rows. */
  readonly rows: readonly DifferingRow[];
  /** The owner's position when the comparison ended. */
  readonly position: number;
  readonly mappingHash: string;
  /** The share of rows that was compared, in percent; null: all of them. */
  readonly sample: number | null;
  readonly startedAt: number;
  readonly finishedAt: number;
  /** When it began, by the clock of each database: demands of a comparison are dated by these. */
  readonly begunAt?: Readonly<Record<SideName, number>>;
  /** Rows across the border of what moves that refer to rows which are gone; left out of a sample. */
  readonly dangling?: readonly string[];
  /** How many keys that have fences of their own each side owns; null where none has. */
  readonly keys?: KeyCount | null;
}

export interface KeyCount {
  readonly legacy: number;
  readonly extracted: number;
  /** Keys that have not exactly one owner, or another one than when the comparison began. */
  readonly doubtful: readonly string[];
}

/** What was done about the differences that a comparison found. */
export interface Repair {
  /** Rows that were written into the owner's feed again as they are there. */
  readonly queued: number;
  /** How many of them the owner has not, so that they are removed from the other side. */
  readonly removed: number;
  /** Rows that differ and are left for the next run. */
  readonly left: number;
}
