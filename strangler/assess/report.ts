import type { SideName } from '../../routing/side.ts';
import type { Cloud, SurveyedReference, Writer } from './survey.ts';
import type { Verdict } from './verdict.ts';

/** Whether tables can be moved as they are, what has to be chosen, and what moving them will cost. */
export interface Assessment {
  /** The capability; null for a database of which no configuration says anything. */
  readonly capability: string | null;
  readonly verdict: Verdict;
  readonly databases: readonly AssessedDatabase[];
  /** What belongs to no one table. */
  readonly items: readonly Item[];
  /** Rows that were taken there and back, on both sides; null where none were. */
  readonly rowsTried: number | null;
}

export interface AssessedDatabase {
  /** Null where no configuration says which side it is. */
  readonly side: SideName | null;
  readonly server: string;
  readonly database: string;
  readonly user: string | null;
  readonly tables: readonly AssessedTable[];
  readonly rights: Rights;
  readonly writers: readonly Writer[];
  readonly unseen: readonly string[];
  /** Null for a database that is empty, or is not written to by its business yet. */
  readonly load: Load | null;
}

export interface AssessedTable {
  readonly table: string;
  readonly verdict: Verdict;
  readonly rows: number | null;
  readonly bytes: number;
  readonly columns: readonly AssessedColumn[];
  readonly items: readonly Item[];
  readonly references: readonly SurveyedReference[];
  /** Foreign keys from other tables to it, as `child(column)`. */
  readonly referredBy: readonly string[];
  readonly triggers: readonly string[];
  /** As `column: sequence`. */
  readonly sequences: readonly string[];
  readonly rowSecurity: boolean;
  /** Rows written a second; null where the database does not count. */
  readonly writes: WriteRate | null;
}

export interface AssessedColumn {
  readonly column: string;
  readonly type: string;
  readonly verdict: Verdict;
  readonly items: readonly Item[];
}

/** Something to choose, or to change. */
export interface Item {
  /** That of `fig check`. */
  readonly code: string;
  readonly verdict: Verdict;
  readonly side: SideName | null;
  readonly message: string;
  /** What would help, where the message does not say it. */
  readonly help: string | null;
  readonly counterexample: string | null;
}

export interface WriteRate {
  /** Within the window; null where none was waited for. */
  readonly window: number | null;
  readonly windowSeconds: number;
  /** On average since the database began to count; null where that is not known. */
  readonly average: number | null;
}

export interface Rights {
  /** Statements that let the engine's user do what it has to. */
  readonly grants: readonly string[];
  /** What a superuser has to do, and what becomes of it where there is none. */
  readonly managed: readonly ManagedNote[];
}

export interface ManagedNote {
  readonly cloud: Cloud;
  readonly name: string;
  /** Whether this database seems to run there. */
  readonly here: boolean;
  readonly notes: readonly string[];
}

/** What the move is expected to cost, with the figures that it was computed from. */
export interface Load {
  readonly rows: number;
  readonly bytes: number;
  readonly writesPerSecond: number;
  /** Rows and bytes that capture adds a second. */
  readonly captureRowsPerSecond: number;
  readonly captureBytesPerSecond: number;
  readonly copySeconds: number;
  readonly pauseMs: number;
  /** What was assumed, one sentence each. */
  readonly from: readonly string[];
}
