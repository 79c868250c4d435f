/** An attempt at a step, after its intent was recorded and before its result is. */
export interface StepAttempt {
  readonly type: string;
  readonly saga: string;
  readonly step: string;
  readonly direction: 'forward' | 'backward';
  /** Of the request that began the saga. */
  readonly traceparent: string | null;
}

/** Calls `take` once, and returns what it returns. */
export type AroundStep = <T>(attempt: StepAttempt, take: () => Promise<T>) => Promise<T>;
