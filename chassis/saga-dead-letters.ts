import type { DeadLetter, DeadLetterSource } from './dead-letters.ts';
import { advance, lastEffect, unstuck } from './saga.ts';
import type { SagaDefinition, SagaRecord, SagaStore } from './saga.ts';

interface StepDeadLetterOptions<Data, Trx> {
  readonly definition: SagaDefinition<Data, Trx>;
  readonly store: SagaStore<Data, Trx>;
}

/**
 * The steps in which sagas of one type are stuck. Dropping one goes on as the definition says
 * (`whenDropped`); of a step that was to be taken back, what it has done stays.
 */
export function createStepDeadLetters<Data, Trx>({
  definition,
  store,
}: StepDeadLetterOptions<Data, Trx>): DeadLetterSource {
  function letterOf({ id, step, status, failures, stuck }: SagaRecord<Data>): DeadLetter {
    const { name } = definition.steps[step] ?? { name: String(step) };
    const what = `${definition.type}: ${status === 'backward' ? 'undo ' : ''}${name}`;
    return { id, what, reason: stuck?.reason ?? '', attempts: failures, since: stuck?.since ?? 0 };
  }

  function dropped(record: SagaRecord<Data>): SagaRecord<Data> {
    const event =
      record.status === 'backward' ? ({ outcome: 'undone' } as const) : definition.whenDropped;
    return advance(record, definition.steps.length, event);
  }

  return {
    list: async (limit) => (await store.listStuck(limit)).map(letterOf),
    count: () => store.countStuck(),
    async find(id) {
      const record = await store.findStuck(id);
      return record && { ...letterOf(record), details: definition.shown(record.data) };
    },
    retry: (id) => store.decide(id, unstuck),
    drop: (id) =>
      store.decide(id, dropped, async (trx, next) => lastEffect(definition, next)?.(trx)),
  };
}
