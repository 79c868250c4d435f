import type { DeadLetter, DeadLetterSource } from '../dead-letters.ts';
import { decideSaga, nameOf } from './decisions.ts';
import type { Decision } from './decisions.ts';
import { stepsOf } from './definition.ts';
import type { SagaDefinition } from './definition.ts';
import type { SagaRecord } from './record.ts';
import type { SagaStore } from './store.ts';

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
  function letterOf({ id, version, step, status, failures, stuck }: SagaRecord<Data>): DeadLetter {
    const name = nameOf(stepsOf(definition, version)?.[step], step);
    const what = `${definition.type}: ${status === 'backward' ? 'undo ' : ''}${name}`;
    return { id, what, reason: stuck?.reason ?? '', attempts: failures, since: stuck?.since ?? 0 };
  }

  const decide = async (id: string, decision: Decision): Promise<boolean> =>
    !('code' in (await decideSaga(definition, store, id, decision)));

  return {
    list: async (limit) => (await store.listStuck(limit)).map(letterOf),
    count: async () => (await store.countOpen()).stuck,
    async find(id) {
      const record = (await store.find(id))?.record;
      if (!record?.stuck) return undefined;
      return { ...letterOf(record), details: definition.shown(record.data) };
    },
    retry: (id) => decide(id, 'retry'),
    drop: (id) => decide(id, 'drop'),
  };
}
