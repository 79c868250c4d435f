import { DEFAULT_POLICY } from './definition.ts';
import type { StepOutcome, StepPolicy } from './definition.ts';
import type { SagaRecord } from './record.ts';

export type StepEvent<Data> =
  StepOutcome<Data> | { readonly outcome: 'undone'; readonly data?: Partial<Data> } | StepFailed;

export interface StepFailed {
  readonly outcome: 'failed';
  readonly reason: string;
  /** ms since 1970. */
  readonly at: number;
  /** Whether a repetition will fail in the same way. Otherwise the step's outcome is unknown. */
  readonly permanent: boolean;
}

/**
 * What becomes of a saga after its present step. Pure: the runner records what this says, and acts
 * on nothing that is not recorded.
 * @param stepCount how many steps the definition has
 * @param policy when failures make the saga stuck
 */
export function advance<Data>(
  record: SagaRecord<Data>,
  stepCount: number,
  event: StepEvent<Data>,
  policy: Pick<StepPolicy, 'refusals' | 'retryForMs'> = DEFAULT_POLICY,
): SagaRecord<Data> {
  if (event.outcome === 'failed') return failed(record, event, policy);
  const data = { ...record.data, ...event.data };
  const next = { ...unstuck(record), attempt: 1, unknown: false, data };
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
  { reason, at, permanent: isPermanent }: StepFailed,
  { refusals, retryForMs }: Pick<StepPolicy, 'refusals' | 'retryForMs'>,
): SagaRecord<Data> {
  const failingSince = record.failingSince ?? at;
  const { count, since } = record.permanent ?? { count: 0, since: at };
  const permanent = isPermanent ? { count: count + 1, since } : null;
  const isRefused =
    permanent !== null && permanent.count >= refusals.failures && at - since >= refusals.ms;
  const isExhausted = at - failingSince >= retryForMs;
  return {
    ...record,
    attempt: record.attempt + 1,
    failures: record.failures + 1,
    failingSince,
    permanent,
    stuck: isRefused || isExhausted ? { reason, since: at } : null,
  };
}

/** A saga as if its present step had never failed. */
export function unstuck<Data>(record: SagaRecord<Data>): SagaRecord<Data> {
  return { ...record, failures: 0, failingSince: null, permanent: null, stuck: null };
}

/**
 * A stuck saga that is taken back, from the step on of which no one knows whether it was done.
 * @param why what its data say of that
 */
export function takenBack<Data>(
  record: SagaRecord<Data>,
  why: Partial<Data> | undefined,
): SagaRecord<Data> {
  const data = { ...record.data, ...why };
  return { ...unstuck(record), status: 'backward', unknown: true, attempt: 1, data };
}
