import { describe, expect, it } from '@jest/globals';
import { array, assert, constantFrom, nat, property } from 'fast-check';
import { advance, takenBack } from './advance.ts';
import { isUnderWay, newSaga, stateOf } from './record.ts';
import type { SagaRecord } from './record.ts';

const FAILED = { outcome: 'failed', reason: 'away', at: 0, permanent: false } as const;

describe('advance', () => {
  const events = array(constantFrom('done', 'refused', 'failed'), { maxLength: 40 });

  it('undoes exactly the done steps, newest first', () => {
    assert(
      property(nat({ max: 5 }), events, (extraSteps, outcomes) => {
        const steps = extraSteps + 1;
        let saga: SagaRecord<null> = newSaga('s', 1, null);
        const done: number[] = [];
        const undone: number[] = [];
        for (const outcome of outcomes) {
          if (!isUnderWay(saga)) break;
          const { step, status } = saga;
          if (status === 'backward') {
            if (outcome !== 'failed') undone.push(step);
            saga = advance<null>(
              saga,
              steps,
              outcome === 'failed' ? FAILED : { outcome: 'undone' },
            );
          } else {
            if (outcome === 'done') done.push(step);
            saga = advance<null>(saga, steps, outcome === 'failed' ? FAILED : { outcome });
          }
        }
        expect(done).toEqual(done.map((_, index) => index));
        if (saga.status === 'completed') expect(done).toHaveLength(steps);
        if (saga.status === 'compensated') expect(undone).toEqual(done.toReversed());
      }),
    );
  });

  it('is stuck once failures that may pass were repeated for as long as its policy says', () => {
    const policy = { refusals: { failures: 3, ms: 0 }, retryForMs: 1_000 };
    const at = (saga: SagaRecord<null>, ms: number, permanent = false) =>
      advance(saga, 2, { ...FAILED, at: ms, permanent }, policy);
    const twice = at(at(newSaga('s', 1, null), 100), 1_099);
    expect([stateOf(twice), twice.attempt]).toEqual(['pending', 3]);
    expect(at(twice, 1_100).stuck).toEqual({ reason: 'away', since: 1_100 });
    // What goes well in between begins anew.
    expect(at(advance(twice, 2, { outcome: 'done' }, policy), 1_100)).toMatchObject({
      attempt: 2,
      stuck: null,
    });
    expect(at(at(at(newSaga('s', 1, null), 1, true), 2, true), 3, true).stuck).not.toBe(null);
  });

  it('takes a stuck saga back from the step of which no one knows whether it was done', () => {
    const stuck = { ...newSaga('s', 1, null), step: 1, stuck: { reason: 'no', since: 1 } };
    const back = takenBack<null>(stuck, undefined);
    expect(back).toMatchObject({ status: 'backward', step: 1, unknown: true, stuck: null });
    expect(advance(back, 2, { outcome: 'undone' })).toMatchObject({ step: 0, unknown: false });
  });
});
