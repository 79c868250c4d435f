import { currentTrace, traceparentOf } from '../trace.ts';

/** Where a saga goes, or how it ended. */
export type SagaStatus = 'forward' | 'backward' | 'completed' | 'compensated';

/** What operators and monitors see of a saga. `pending`: its first step is not done yet. */
export const SAGA_STATES = [
  'pending',
  'running',
  'compensating',
  'stuck',
  'completed',
  'compensated',
] as const;
export type SagaState = (typeof SAGA_STATES)[number];

/** A saga's durable state: everything a process needs to go on with it after a crash. */
export interface SagaRecord<Data> {
  readonly id: string;
  /** The version of its definition that the saga began with, and keeps. */
  readonly version: number;
  readonly status: SagaStatus;
  /** The step that is taken next; going backward, the one that is undone next. */
  readonly step: number;
  /** Going backward: whether no one knows if the step was done. An operator has given it up. */
  readonly unknown: boolean;
  readonly data: Data;
  /** The trace of the request that began it; null outside of one. */
  readonly traceparent: string | null;
  /** Which attempt at the present step is the next one, or under way; from 1. */
  readonly attempt: number;
  /** How often the present step has failed in a row. */
  readonly failures: number;
  /** When the first of these failures was; ms since 1970. */
  readonly failingSince: number | null;
  /** The permanent ones in a row up to the last one; null when the last one was not permanent. */
  readonly permanent: PermanentFailures | null;
  /** Why no worker continues it until an operator has decided; null while workers do. */
  readonly stuck: Stuck | null;
  /** When the intent to take the present step was recorded; ms since 1970, by the database's clock. */
  readonly intentAt: number;
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

/** A saga whose first step is the next one. */
export function newSaga<Data>(id: string, version: number, data: Data): SagaRecord<Data> {
  const trace = currentTrace();
  return {
    id,
    version,
    status: 'forward',
    step: 0,
    unknown: false,
    data,
    traceparent: trace ? traceparentOf(trace) : null,
    attempt: 1,
    failures: 0,
    failingSince: null,
    permanent: null,
    stuck: null,
    intentAt: 0,
  };
}

/** Whether a saga has something to do that a worker can do. */
export function isUnderWay({
  status,
  stuck,
}: Pick<SagaRecord<unknown>, 'status' | 'stuck'>): boolean {
  return stuck === null && (status === 'forward' || status === 'backward');
}

export function stateOf({
  status,
  step,
  stuck,
}: Pick<SagaRecord<unknown>, 'status' | 'step' | 'stuck'>): SagaState {
  if (stuck) return 'stuck';
  if (status === 'backward') return 'compensating';
  if (status === 'forward') return step === 0 ? 'pending' : 'running';
  return status;
}
