import type { HistoryEntry, SagaHistoryEntry } from './history.ts';
import type { SagaRecord, SagaState } from './record.ts';

/** A worker's claim on a saga, from the moment on at which it is written, by the clock of the database. */
export interface Lease {
  readonly worker: string;
  readonly forMs: number;
}

/** A saga with what only operators ask for. */
export interface StoredSaga<Data> {
  readonly record: SagaRecord<Data>;
  /** ms since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The worker that has it, and for how long; null while none has. */
  readonly lease: { readonly worker: string; readonly leftMs: number } | null;
}

/** What sagas that have not ended are counted by. `unknown_version`: this build leaves them alone. */
export const OPEN_STATES = [
  'pending',
  'running',
  'compensating',
  'stuck',
  'unknown_version',
] as const;
export type OpenState = (typeof OPEN_STATES)[number];

/** An operator's decision, as the store writes it. */
export interface SagaDecision<Data, Trx> {
  readonly next: SagaRecord<Data>;
  readonly entry: HistoryEntry;
  /** Written in the same transaction. */
  readonly effect?: ((trx: Trx) => Promise<void>) | undefined;
}

/**
 * Where one type of saga is kept. A saga under way is leased to one worker; every method that takes
 * a worker does nothing for a saga that is another's. No method but those for operators touches a saga of a version
 * that this build does not know.
 */
export interface SagaStore<Data, Trx> {
  /** Leases a saga under way whose lease has run out, and records the intent to take its step. */
  claim(id: string, lease: Lease): Promise<SagaRecord<Data> | undefined>;
  /**
   * Leases sagas under way whose lease has run out: left behind by a crash. What became of the step that was under way
   * is unknown, and their history says so.
   */
  claimAbandoned(lease: Lease, limit: number): Promise<SagaRecord<Data>[]>;
  /**
   * Records progress, with what has become of the present step and with the intent to take the next one, together
   * with `effect`, in one transaction.
   * @returns the record as it is stored; undefined, and nothing is written, when the saga is another worker's by now
   */
  save(
    record: SagaRecord<Data>,
    lease: Lease,
    entry: HistoryEntry,
    effect?: (trx: Trx) => Promise<void>,
  ): Promise<SagaRecord<Data> | undefined>;
  /** Puts off the end of all leases of the worker. */
  renew(lease: Lease): Promise<void>;
  /** Gives all leases of the worker back; none of their steps is under way. */
  release(worker: string): Promise<void>;

  /** For operators: stuck sagas, the longest stuck first. */
  listStuck(limit: number): Promise<SagaRecord<Data>[]>;
  /** For operators: the newest sagas first; those that have not ended, where no state is given. */
  list(limit: number, state?: SagaState): Promise<StoredSaga<Data>[]>;
  /** How many have not ended, by state. */
  countOpen(): Promise<Readonly<Record<OpenState, number>>>;
  find(id: string): Promise<StoredSaga<Data> | undefined>;
  /** Every step that was taken, in the order of their results. */
  history(id: string): Promise<readonly SagaHistoryEntry[]>;
  /**
   * Saves an operator's decision about a saga that no worker has, in one transaction. Any worker can continue the saga then.
   * @param decide gets the saga as it is then, kept from others; undefined where it changes nothing
   */
  decide(
    id: string,
    decide: (saga: StoredSaga<Data>) => SagaDecision<Data, Trx> | undefined,
  ): Promise<void>;
}
