import type { SagaRecord } from './record.ts';

/** What a saga, or one of its steps, may take. */
export interface StepPolicy {
  /** How long one attempt may take, in ms. After that its outcome is unknown, and it is asked for again. */
  readonly deadlineMs: number;
  /** The pauses between attempts, in ms: each is twice as long as the one before, up to the longest. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** When permanent refusals make the saga stuck. */
  readonly refusals: StuckAfter;
  /** For how long, in ms, failures that may pass are repeated before the saga is stuck. */
  readonly retryForMs: number;
}

/** A step that was refused for good so often in a row, and for so long, makes its saga stuck. */
export interface StuckAfter {
  readonly failures: number;
  /** From the first of these failures to the last. */
  readonly ms: number;
}

/** Time as well as a number, since what a wrong deployment answers for a moment looks permanent, too. */
export const STUCK_AFTER: StuckAfter = { failures: 10, ms: 120_000 };

/** A day: an owner that is away for a night strands no saga, one that never comes back is reported. */
export const DEFAULT_POLICY: StepPolicy = {
  deadlineMs: 60_000,
  firstPauseMs: 50,
  longestPauseMs: 5_000,
  refusals: STUCK_AFTER,
  retryForMs: 24 * 60 * 60 * 1_000,
};

/** Why a step has no outcome. */
export class StepFailure extends Error {
  override readonly name: string = 'StepFailure';
  /** Whether a repetition fails in the same way, as far as can be told. */
  readonly permanent: boolean;

  constructor(message: string, permanent: boolean) {
    super(message);
    this.permanent = permanent;
  }
}

/** `refused` is a definite no without any effect. Whatever is not definite must be thrown. */
export type StepOutcome<Data> =
  | { readonly outcome: 'done'; readonly data?: Partial<Data> }
  | { readonly outcome: 'refused'; readonly data?: Partial<Data> };

/**
 * One step of a saga. It is repeated until its outcome is definite, also by another process after a
 * crash, so whatever it does must carry a key that is the same each time: to repeat it is to ask its owner
 * what has become of it.
 */
export interface SagaStep<Data> {
  readonly name: string;
  run(data: Data): Promise<StepOutcome<Data>>;
  /**
   * Takes a done step back; absent where there is nothing to take back.
   * @param unknown whether the step may not have been done: then this asks its owner first
   */
  undo?(data: Data, unknown: boolean): Promise<Partial<Data>>;
  /**
   * What the step has made when an operator says that it is done; absent where only its owner can tell.
   */
  assumedDone?(data: Data): Partial<Data>;
  /** Where the step differs from the saga's policy. */
  readonly policy?: Partial<StepPolicy>;
}

export interface SagaDefinition<Data, Trx> {
  readonly type: string;
  /** Raise it with every change of `steps`, and move the former ones to `earlier`. */
  readonly version: number;
  readonly steps: readonly SagaStep<Data>[];
  /** The steps of former versions that sagas may still be under way with. */
  readonly earlier?: Readonly<Record<number, readonly SagaStep<Data>[]>>;
  readonly policy: StepPolicy;
  /** The saga's last effect, in the transaction that records its end. */
  completed(trx: Trx, data: Data): Promise<void>;
  /** The same after all was undone. */
  compensated(trx: Trx, data: Data): Promise<void>;
  /**
   * As what a step that is stuck going forward counts when an operator gives it up: as refused, where the saga
   * can be taken back; else as done, and what is left of the saga goes on.
   */
  readonly whenDropped: StepOutcome<Data>;
  /** What an operator may see of a saga: no secrets. */
  shown(data: Data): unknown;
}

/** The versions of a definition that this build can go on with. */
export function versionsOf<Data>({
  version,
  earlier = {},
}: Pick<SagaDefinition<Data, never>, 'version' | 'earlier'>): readonly number[] {
  return [version, ...Object.keys(earlier).map(Number)];
}

/** The steps of a version; undefined where this build does not know it. */
export function stepsOf<Data>(
  {
    version,
    steps,
    earlier = {},
  }: Pick<SagaDefinition<Data, never>, 'version' | 'steps' | 'earlier'>,
  wanted: number,
): readonly SagaStep<Data>[] | undefined {
  return wanted === version ? steps : earlier[wanted];
}

/** What is written in the transaction that records a saga's end; undefined while it is under way. */
export function lastEffect<Data, Trx>(
  { completed, compensated }: Pick<SagaDefinition<Data, Trx>, 'completed' | 'compensated'>,
  { status, data }: Pick<SagaRecord<Data>, 'status' | 'data'>,
): ((trx: Trx) => Promise<void>) | undefined {
  if (status === 'completed') return (trx) => completed(trx, data);
  if (status === 'compensated') return (trx) => compensated(trx, data);
  return undefined;
}
