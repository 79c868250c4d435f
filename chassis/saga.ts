/** When a saga is stuck: its step has failed for good at least so often in a row, and for so long. */
export interface StuckAfter {
  readonly failures: number;
  /** From the first of these failures to the last. */
  readonly ms: number;
}

/** Time as well as a number, since what a wrong deployment answers for a moment looks permanent, too. */
export const STUCK_AFTER: StuckAfter = { failures: 10, ms: 120_000 };

/** How far a saga is. `forward` and `backward` are under way, the other two are ends. */
export type SagaStatus = 'forward' | 'backward' | 'completed' | 'compensated';

/** A saga's durable state: everything a process needs to go on with it after a crash. */
export interface SagaRecord<Data> {
  readonly id: string;
  readonly status: SagaStatus;
  /** The step that is taken next; going backward, the one that is undone next. */
  readonly step: number;
  readonly data: Data;
  /** How often the present step has failed in a row. */
  readonly failures: number;
  /** The permanent ones in a row up to the last one; null when the last one was not permanent. */
  readonly permanent: PermanentFailures | null;
  /** Why no worker continues it until an operator has decided; null while workers do. */
  readonly stuck: Stuck | null;
}

export interface PermanentFailures {
  readonly count: number;
  /** When the first of them was; ms since 1970. */
  readonly since: number;
}

export interface Stuck {
  readonly reason: string;
  /** ms since 1970. */
  readonly since: number;
}

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
 * crash, so whatever it does must carry a key that is the same each time.
 */
export interface SagaStep<Data> {
  readonly name: string;
  run(data: Data): Promise<StepOutcome<Data>>;
  /** Takes a done step back; absent where there is nothing to take back. */
  undo?(data: Data): Promise<Partial<Data>>;
}

export interface SagaDefinition<Data, Trx> {
  readonly type: string;
  readonly steps: readonly SagaStep<Data>[];
  /** The saga's last effect, in the transaction that records its end. */
  completed(trx: Trx, data: Data): Promise<void>;
  compensated(trx: Trx, data: Data): Promise<void>;
  /** As what a step that is stuck going forward counts when an operator drops it. */
  readonly whenDropped: StepOutcome<Data>;
  /** What an operator may see of a saga: no secrets. */
  shown(data: Data): unknown;
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

/**
 * Where one type of saga is kept. A saga under way is leased to one worker; every method that takes
 * a worker does nothing for a saga that is another's.
 */
export interface SagaStore<Data, Trx> {
  /** Leases a saga under way whose lease has run out. */
  claim(id: string, lease: Lease): Promise<SagaRecord<Data> | undefined>;
  /** Leases sagas under way whose lease has run out: left behind by a crash. */
  claimAbandoned(lease: Lease, limit: number): Promise<SagaRecord<Data>[]>;
  /**
   * Records progress, together with `effect`, in one transaction.
   * @returns false, and nothing is written, when the saga is leased to another worker by now
   */
  save(
    record: SagaRecord<Data>,
    lease: Lease,
    effect?: (trx: Trx) => Promise<void>,
  ): Promise<boolean>;
  /** Puts off the end of all leases of the worker. */
  renew(lease: Lease): Promise<void>;
  /** Gives all leases of the worker back. */
  release(worker: string): Promise<void>;
  /** Stuck sagas, the longest stuck first. */
  listStuck(limit: number): Promise<SagaRecord<Data>[]>;
  countStuck(): Promise<number>;
  /** How many sagas are in each state that is not an end. */
  countUnderWay(): Promise<Readonly<Record<'forward' | 'backward' | 'stuck', number>>>;
  findStuck(id: string): Promise<SagaRecord<Data> | undefined>;
  /**
   * Saves the operator's decision about a stuck saga, together with `effect`, in one transaction. The store
   * gives the saga's lease back, so that any worker can continue the saga.
   * @returns false when it is not stuck
   */
  decide(
    id: string,
    next: (stuck: SagaRecord<Data>) => SagaRecord<Data>,
    effect?: (trx: Trx, decided: SagaRecord<Data>) => Promise<void>,
  ): Promise<boolean>;
}

/** A worker's claim on a saga, from the moment on at which it is written, by the clock of the database. */
export interface Lease {
  readonly worker: string;
  readonly forMs: number;
}

export type StepEvent<Data> =
  StepOutcome<Data> | { readonly outcome: 'undone'; readonly data?: Partial<Data> } | StepFailed;

export interface StepFailed {
  readonly outcome: 'failed';
  /** Why, and when, where a repetition will fail in the same way. */
  readonly permanent?: Stuck;
}

/** Whether a saga has something to do that a worker can do. */
export function isUnderWay({
  status,
  stuck,
}: Pick<SagaRecord<unknown>, 'status' | 'stuck'>): boolean {
  return stuck === null && (status === 'forward' || status === 'backward');
}

/**
 * What becomes of a saga after its present step. Pure: the runner records what this says, and acts
 * on nothing that is not recorded.
 * @param stepCount how many steps the definition has
 * @param stuckAfter when its permanent failures make it stuck
 */
export function advance<Data>(
  record: SagaRecord<Data>,
  stepCount: number,
  event: StepEvent<Data>,
  stuckAfter = STUCK_AFTER,
): SagaRecord<Data> {
  if (event.outcome === 'failed') return failed(record, event.permanent, stuckAfter);
  const next = { ...unstuck(record), data: { ...record.data, ...event.data } };
  if (event.outcome === 'done') {
    const step = record.step + 1;
    return { ...next, step, status: step < stepCount ? 'forward' : 'completed' };
  }
  // A refused step had no effect: undoing starts with the one before it.
  const step = record.step - 1;
  return { ...next, step, status: step >= 0 ? 'backward' : 'compensated' };
}

function failed<Data>(
  record: SagaRecord<Data>,
  failure: Stuck | undefined,
  stuckAfter: StuckAfter,
): SagaRecord<Data> {
  const failures = record.failures + 1;
  if (!failure) return { ...record, failures, permanent: null };
  const { count: before, since } = record.permanent ?? { count: 0, since: failure.since };
  const count = before + 1;
  const isStuck = count >= stuckAfter.failures && failure.since - since >= stuckAfter.ms;
  return { ...record, failures, permanent: { count, since }, stuck: isStuck ? failure : null };
}

/** A saga as if its present step had never failed. */
export function unstuck<Data>(record: SagaRecord<Data>): SagaRecord<Data> {
  return { ...record, failures: 0, permanent: null, stuck: null };
}
