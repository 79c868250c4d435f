import { describe, expect, it } from '@jest/globals';
import type { CohortState, RoutingState } from '../../strangler/routing/index.ts';
import { CohortOwnership } from './cohort-ownership.ts';
import { NO_EVIDENCE, ownershipOf } from './ownership.ts';

const REST = ownershipOf(NO_EVIDENCE);
const MOVED: CohortState = { keys: ['A', 'B'], owner: 'extracted', epoch: 2, holding: false };
const MOVING: CohortState = { ...MOVED, owner: null, holding: true };

function update(generation: number, ...cohorts: CohortState[]): RoutingState {
  return {
    capability: 'bills',
    owner: 'legacy',
    epoch: 1,
    replicaReady: true,
    holding: false,
    generation,
    cohorts,
  };
}

describe('keys with an owner of their own', () => {
  it('are those that update names, as long as it does', () => {
    const cohorts = new CohortOwnership();
    expect(cohorts.learn(update(1), REST)).toBe(false);
    expect(cohorts.learn(update(2, MOVED), REST)).toBe(true);
    for (const key of ['A', 'B']) {
      expect(cohorts.of(key)).toMatchObject({ owner: 'extracted', epoch: 2, replicaReady: true });
    }
    expect(cohorts.of('C')).toBeUndefined();
    expect(cohorts.cohorts()).toEqual([{ keys: 2, owner: 'extracted', epoch: 2, holding: false }]);
    expect(cohorts.learn(update(3, MOVED), REST)).toBe(false);
    expect(cohorts.learn(update(4), REST)).toBe(true);
    expect([cohorts.of('A'), cohorts.size]).toEqual([undefined, 0]);
  });

  it('stay with the owner of the rest, and hold, while they move for the first time', () => {
    const cohorts = new CohortOwnership();
    cohorts.learn(update(2, MOVING), { ...REST, owner: 'extracted' });
    expect(cohorts.of('A')).toMatchObject({ owner: 'extracted', holding: true });
    cohorts.learn(update(3, { ...MOVED, owner: 'legacy' }), REST);
    cohorts.learn(update(4, { ...MOVING, epoch: 3 }), REST);
    expect(cohorts.of('A')).toMatchObject({ owner: 'legacy', holding: true, epoch: 3 });
  });

  it('have all moved when the fence of one of them says so, whatever older update says', () => {
    const cohorts = new CohortOwnership();
    cohorts.learn(update(2, MOVING), REST);
    expect(cohorts.fenced('B', { side: 'legacy', state: 'ceded', epoch: 2 }, REST)).toBe(true);
    for (const key of ['A', 'B']) {
      expect(cohorts.of(key)).toMatchObject({ owner: 'extracted', holding: false, certain: true });
    }
    cohorts.learn(update(3, MOVING), REST);
    expect(cohorts.of('A')).toMatchObject({ owner: 'extracted', holding: false });
    cohorts.learn(update(4, MOVED), REST);
    expect(cohorts.of('A')).toMatchObject({ owner: 'extracted', replicaReady: true });
  });

  it('are learnt from fences where no update has named them, which late update does not undo', () => {
    const cohorts = new CohortOwnership();
    cohorts.fenced('A', { side: 'legacy', state: 'ceded', epoch: 2 }, REST);
    cohorts.learn(update(1), REST);
    expect(cohorts.of('A')).toMatchObject({ owner: 'extracted', certain: true });
    cohorts.learn(update(2), REST, performance.now() + 10_000);
    expect(cohorts.of('A')).toBeUndefined();
  });

  it('are none where a side is closed that is not the owner: it waits like the rest', () => {
    const cohorts = new CohortOwnership();
    expect(cohorts.fenced('A', { side: 'extracted', state: 'closed', epoch: 0 }, REST)).toBe(false);
    expect(cohorts.size).toBe(0);
    expect(cohorts.fenced('A', { side: 'legacy', state: 'closed', epoch: 2 }, REST)).toBe(true);
    expect(cohorts.of('A')).toMatchObject({ owner: 'legacy', holding: true });
    expect(cohorts.accepted('A', 'extracted', 2, REST)).toBe(true);
    expect(cohorts.of('A')).toMatchObject({ owner: 'extracted', epoch: 2 });
  });
});
