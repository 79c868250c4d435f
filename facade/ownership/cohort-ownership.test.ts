import { describe, expect, it } from '@jest/globals';
import type { CohortState, RoutingState } from '../../strangler/routing/index.ts';
import { CohortOwnership } from './cohort-ownership.ts';
import { NO_EVIDENCE, ownershipOf } from './ownership.ts';

const REST = ownershipOf(NO_EVIDENCE);
const MOVED: CohortState = { keys: ['A', 'B'], owner: 'extracted', epoch: 2, holding: false };
const MOVING: CohortState = { ...MOVED, owner: null, holding: true };

function news(generation: number, ...cohorts: CohortState[]): RoutingState {
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
  it('are those that news names, as long as it does', () => {
    const apart = new CohortOwnership();
    expect(apart.learn(news(1), REST)).toBe(false);
    expect(apart.learn(news(2, MOVED), REST)).toBe(true);
    for (const key of ['A', 'B']) {
      expect(apart.of(key)).toMatchObject({ owner: 'extracted', epoch: 2, replicaReady: true });
    }
    expect(apart.of('C')).toBeUndefined();
    expect(apart.cohorts()).toEqual([{ keys: 2, owner: 'extracted', epoch: 2, holding: false }]);
    expect(apart.learn(news(3, MOVED), REST)).toBe(false);
    expect(apart.learn(news(4), REST)).toBe(true);
    expect([apart.of('A'), apart.size]).toEqual([undefined, 0]);
  });

  it('stay with the owner of the rest, and hold, while they move for the first time', () => {
    const apart = new CohortOwnership();
    apart.learn(news(2, MOVING), { ...REST, owner: 'extracted' });
    expect(apart.of('A')).toMatchObject({ owner: 'extracted', holding: true });
    apart.learn(news(3, { ...MOVED, owner: 'legacy' }), REST);
    apart.learn(news(4, { ...MOVING, epoch: 3 }), REST);
    expect(apart.of('A')).toMatchObject({ owner: 'legacy', holding: true, epoch: 3 });
  });

  it('have all moved when the fence of one of them says so, whatever older news says', () => {
    const apart = new CohortOwnership();
    apart.learn(news(2, MOVING), REST);
    expect(apart.fenced('B', { side: 'legacy', state: 'ceded', epoch: 2 }, REST)).toBe(true);
    for (const key of ['A', 'B']) {
      expect(apart.of(key)).toMatchObject({ owner: 'extracted', holding: false, certain: true });
    }
    apart.learn(news(3, MOVING), REST);
    expect(apart.of('A')).toMatchObject({ owner: 'extracted', holding: false });
    apart.learn(news(4, MOVED), REST);
    expect(apart.of('A')).toMatchObject({ owner: 'extracted', replicaReady: true });
  });

  it('are learnt from fences where no news has named them, which late news does not undo', () => {
    const apart = new CohortOwnership();
    apart.fenced('A', { side: 'legacy', state: 'ceded', epoch: 2 }, REST);
    apart.learn(news(1), REST);
    expect(apart.of('A')).toMatchObject({ owner: 'extracted', certain: true });
    apart.learn(news(2), REST, performance.now() + 10_000);
    expect(apart.of('A')).toBeUndefined();
  });

  it('are none where a side is closed that is not the owner: it waits like the rest', () => {
    const apart = new CohortOwnership();
    expect(apart.fenced('A', { side: 'extracted', state: 'closed', epoch: 0 }, REST)).toBe(false);
    expect(apart.size).toBe(0);
    expect(apart.fenced('A', { side: 'legacy', state: 'closed', epoch: 2 }, REST)).toBe(true);
    expect(apart.of('A')).toMatchObject({ owner: 'legacy', holding: true });
    expect(apart.accepted('A', 'extracted', 2, REST)).toBe(true);
    expect(apart.of('A')).toMatchObject({ owner: 'extracted', epoch: 2 });
  });
});
