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
}

export interface Lease {
  readonly worker: string;
  /** ms since 1970. */
  readonly now: number;
  readonly until: number;
}

export type StepEvent<Data> =
  | StepOutcome<Data>
  | { readonly outcome: 'undone'; readonly data?: Partial<Data> }
  | { readonly outcome: 'failed' };

/** Whether a saga still has something to do. */
export function isUnderWay({ status }: { readonly status: SagaStatus }): boolean {
  return status === 'forward' || status === 'backward';
}

/**
 * What becomes of a saga after its present step. Pure: the runner records what this says, and acts
 * on nothing that is not recorded.
 * @param stepCount how many steps the definition has
 */
export function advance<Data>(
  record: SagaRecord<Data>,
  stepCount: number,
  event: StepEvent<Data>,
): SagaRecord<Data> {
  if (event.outcome === 'failed') return { ...record, failures: record.failures + 1 };
  const next = { ...record, failures: 0, data: { ...record.data, ...event.data } };
  if (event.outcome === 'done') {
    const step = record.step + 1;
    return { ...next, step, status: step < stepCount ? 'forward' : 'completed' };
  }
  // A refused step had no effect: undoing starts with the one before it.
  const step = record.step - 1;
  return { ...next, step, status: step >= 0 ? 'backward' : 'compensated' };
}
