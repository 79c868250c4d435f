import { advance, takenBack, unstuck } from './advance.ts';
import { lastEffect, stepsOf } from './definition.ts';
import type { SagaDefinition, SagaStep } from './definition.ts';
import type { HistoryEntry, StepResult } from './history.ts';
import type { SagaRecord } from './record.ts';
import type { SagaDecision, SagaStore, StoredSaga } from './store.ts';

/**
 * What an operator decides about a stuck saga. `retry`: its step is taken again. `compensate`: the saga is taken back,
 * beginning with the step itself, whose owner is asked what has become of it. `resolve as`: the operator says what has
 * become of the step. `drop`: the saga goes on as its definition says (`whenDropped`).
 */
export type Decision = 'retry' | 'compensate' | 'resolve as done' | 'resolve as refused' | 'drop';

/** Why a decision was not taken; `code` is stable. */
export interface NotDecided {
  readonly code:
    'no_saga' | 'saga_not_stuck' | 'unknown_version' | 'cannot_compensate' | 'cannot_resolve';
  readonly message: string;
}

const RESULTS: Readonly<Record<Decision, StepResult>> = {
  retry: 'retried',
  compensate: 'taken back',
  'resolve as done': 'resolved as done',
  'resolve as refused': 'resolved as refused',
  drop: 'given up',
};

/**
 * Takes an operator's decision about a stuck saga; any worker goes on with it then.
 * @param note the operator's words, for the saga's history
 * @returns the saga as it is then, or why nothing was changed
 */
export async function decideSaga<Data, Trx>(
  definition: SagaDefinition<Data, Trx>,
  store: SagaStore<Data, Trx>,
  id: string,
  decision: Decision,
  note: string | null = null,
): Promise<SagaRecord<Data> | NotDecided> {
  let told: SagaRecord<Data> | NotDecided = { code: 'no_saga', message: `there is no saga ${id}` };
  await store.decide(id, (saga): SagaDecision<Data, Trx> | undefined => {
    told = nextOf(definition, saga, decision);
    if ('code' in told) return undefined;
    const entry = entryOf(definition, saga.record, decision, note);
    return { next: told, entry, effect: lastEffect(definition, told) };
  });
  return told;
}

function nextOf<Data, Trx>(
  definition: SagaDefinition<Data, Trx>,
  { record, lease }: StoredSaga<Data>,
  decision: Decision,
): SagaRecord<Data> | NotDecided {
  const { id, version, status, stuck } = record;
  if (status === 'completed' || status === 'compensated') {
    return { code: 'saga_not_stuck', message: `${id} has ended: it is ${status}` };
  }
  if (!stuck) {
    const by = lease ? `worker ${lease.worker} has it` : 'a worker takes it up in a moment';
    return { code: 'saga_not_stuck', message: `${id} is not stuck: ${by}` };
  }
  if (decision === 'retry') return unstuck(record);
  const steps = stepsOf(definition, version);
  if (!steps) {
    const message = `${id} has version ${version}, which this build does not know; run the build that began it`;
    return { code: 'unknown_version', message };
  }
  if (decision === 'compensate') return compensating(definition, record);
  if (decision === 'drop' && status === 'forward') {
    return advance(record, steps.length, definition.whenDropped);
  }
  return resolved(definition, record, steps, decision);
}

function compensating<Data, Trx>(
  { type, whenDropped }: SagaDefinition<Data, Trx>,
  record: SagaRecord<Data>,
): SagaRecord<Data> | NotDecided {
  const refuse = (why: string): NotDecided => ({
    code: 'cannot_compensate',
    message: `${record.id} ${why}; retry its step, or resolve it as done`,
  });
  if (whenDropped.outcome === 'done') return refuse(`is a saga of type ${type}: it only goes on`);
  if (record.status === 'backward') return refuse('is being compensated already');
  return takenBack(record, whenDropped.data);
}

function resolved<Data, Trx>(
  { whenDropped }: SagaDefinition<Data, Trx>,
  record: SagaRecord<Data>,
  steps: readonly SagaStep<Data>[],
  decision: 'drop' | 'resolve as done' | 'resolve as refused',
): SagaRecord<Data> | NotDecided {
  const { id, status, step: index, data } = record;
  const step = steps[index];
  const refuse = (why: string): NotDecided => {
    return { code: 'cannot_resolve', message: `step ${nameOf(step, index)} of ${id} ${why}` };
  };
  if (decision === 'resolve as refused') {
    if (status === 'forward' && whenDropped.outcome === 'refused') {
      return advance(record, steps.length, whenDropped);
    }
    return refuse('cannot be given up: the saga only goes on; retry it, or resolve it as done');
  }
  if (status === 'backward') return advance(record, steps.length, { outcome: 'undone' });
  const made = step?.assumedDone?.(data);
  if (made) return advance(record, steps.length, { outcome: 'done', data: made });
  return refuse('has made what only its owner knows; retry it: its key asks the owner');
}

/** A history's entry of a decision: it has no attempt of its own. */
function entryOf<Data, Trx>(
  definition: SagaDefinition<Data, Trx>,
  { version, step, status, attempt }: SagaRecord<Data>,
  decision: Decision,
  note: string | null,
): HistoryEntry {
  return {
    step: nameOf(stepsOf(definition, version)?.[step], step),
    direction: status === 'backward' ? 'backward' : 'forward',
    result: RESULTS[decision],
    reason: note,
    attempt,
    // The store's clock says when.
    startedAt: 0,
    endedAt: 0,
  };
}

/** A step's name, or its number where this build does not know it. */
export function nameOf(step: { readonly name: string } | undefined, index: number): string {
  return step?.name ?? String(index);
}
