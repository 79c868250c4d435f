import { describe, expect, it } from '@jest/globals';
import { array, assert, constantFrom, nat, property } from 'fast-check';
import { advance, isUnderWay } from './saga.ts';
import type { SagaRecord } from './saga.ts';

describe('advance', () => {
  const events = array(constantFrom('done', 'refused', 'failed'), { maxLength: 40 });

  it('undoes exactly the done steps, newest first', () => {
    assert(
      property(nat({ max: 5 }), events, (extraSteps, outcomes) => {
        const steps = extraSteps + 1;
        let saga: SagaRecord<null> = {
          id: 's',
          status: 'forward',
          step: 0,
          data: null,
          failures: 0,
          permanent: null,
          stuck: null,
        };
        const done: number[] = [];
        const undone: number[] = [];
        for (const outcome of outcomes) {
          if (!isUnderWay(saga)) break;
          const { step, status } = saga;
          if (status === 'backward') {
            if (outcome !== 'failed') undone.push(step);
            const event = outcome === 'failed' ? outcome : 'undone';
            saga = advance<null>(saga, steps, { outcome: event });
          } else {
            if (outcome === 'done') done.push(step);
            saga = advance<null>(saga, steps, { outcome });
          }
        }
        expect(done).toEqual(done.map((_, index) => index));
        if (saga.status === 'completed') expect(done).toHaveLength(steps);
        if (saga.status === 'compensated') expect(undone).toEqual(done.toReversed());
      }),
    );
  });
});
