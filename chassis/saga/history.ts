/**
 * What has become of attempts at one step, or what an operator has decided about it. `unknown`: no definite
 * answer came, so that the step may have had its effect.
 */
export type StepResult =
  | 'done'
  | 'refused'
  | 'undone'
  | 'failed'
  | 'unknown'
  | 'retried'
  | 'taken back'
  | 'resolved as done'
  | 'resolved as refused'
  | 'given up';

/** What a saga's history is told; the store adds how often it was the same. */
export interface HistoryEntry {
  readonly step: string;
  readonly direction: 'forward' | 'backward';
  readonly result: StepResult;
  /** Why, where it was not done; of a decision, the operator's words. */
  readonly reason: string | null;
  readonly attempt: number;
  /** When the step was begun, and when its result was recorded; ms since 1970 by the database's clock. */
  readonly startedAt: number;
  readonly endedAt: number;
}

/** Attempts in a row with the same result for the same reason; `attempt` and `endedAt` are those of the last one. */
export interface SagaHistoryEntry extends HistoryEntry {
  readonly times: number;
}
