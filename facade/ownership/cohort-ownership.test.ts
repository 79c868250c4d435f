import { describe, expect, it } from '@jest/globals';
import type { CohortState, RoutingState } from '../../routing/index.ts';
import { CohortOwnership } from './cohort-ownership.ts';

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
  it('are those that an update names, as long as it does', () => {
    const owners = new CohortOwnership();
    expect(owners.learn(update(1))).toBe(true);
    expect(owners.learn(update(2, MOVED))).toBe(true);
    for (const key of ['A', 'B']) {
      expect(owners.of(key)).toMatchObject({ owner: 'extracted', epoch: 2, replicaReady: true });
    }
    expect(owners.of('C')).toMatchObject({ key: 'C', inCohort: false, owner: 'legacy' });
    expect(owners.cohorts()).toEqual([{ keys: 2, owner: 'extracted', epoch: 2, holding: false }]);
    expect(owners.learn(update(3, MOVED))).toBe(false);
    expect(owners.learn(update(4))).toBe(true);
    expect([owners.of('A').inCohort, owners.cohorts()]).toEqual([false, []]);
  });

  it('leave the owner unknown to a request without a key, as long as some have moved', () => {
    const owners = new CohortOwnership();
    owners.learn(update(1));
    expect(owners.of(undefined)).toMatchObject({ owner: 'legacy', isUnknown: false });
    owners.learn(update(2, MOVED));
    expect(owners.of(undefined)).toMatchObject({ owner: 'legacy', isUnknown: true });
    expect(owners.of('C').isUnknown).toBe(false);
    expect(owners.of(undefined, false).isUnknown).toBe(false);
  });

  it('stay with the default owner, and hold, while they move for the first time', () => {
    const owners = new CohortOwnership();
    owners.learn({ ...update(2, MOVING), owner: 'extracted' });
    expect(owners.of('A')).toMatchObject({ owner: 'extracted', holding: true });
    owners.learn(update(3, { ...MOVED, owner: 'legacy' }));
    owners.learn(update(4, { ...MOVING, epoch: 3 }));
    expect(owners.of('A')).toMatchObject({ owner: 'legacy', holding: true, epoch: 3 });
  });

  it('have all moved when the fence of one of them says so, whatever an older update says', () => {
    const owners = new CohortOwnership();
    owners.learn(update(2, MOVING));
    expect(owners.fenced('B', { side: 'legacy', state: 'ceded', epoch: 2 })).toBe(true);
    for (const key of ['A', 'B']) {
      expect(owners.of(key)).toMatchObject({ owner: 'extracted', holding: false, certain: true });
    }
    owners.learn(update(3, MOVING));
    expect(owners.of('A')).toMatchObject({ owner: 'extracted', holding: false });
    owners.learn(update(4, MOVED));
    expect(owners.of('A')).toMatchObject({ owner: 'extracted', replicaReady: true });
  });

  it('are learnt from fences where no update has named them, which a late update does not undo', () => {
    const owners = new CohortOwnership();
    owners.fenced('A', { side: 'legacy', state: 'ceded', epoch: 2 });
    owners.learn(update(1));
    expect(owners.of('A')).toMatchObject({ owner: 'extracted', certain: true });
    owners.learn(update(2), performance.now() + 10_000);
    expect(owners.of('A').inCohort).toBe(false);
  });

  it('are none where a side is closed that is not the owner: it waits like the others', () => {
    const owners = new CohortOwnership();
    expect(owners.fenced('A', { side: 'extracted', state: 'closed', epoch: 0 })).toBe(false);
    expect(owners.cohorts()).toEqual([]);
    expect(owners.fenced('A', { side: 'legacy', state: 'closed', epoch: 2 })).toBe(true);
    expect(owners.of('A')).toMatchObject({ owner: 'legacy', holding: true });
    expect(owners.accepted('A', 'extracted', 2)).toBe(true);
    expect(owners.of('A')).toMatchObject({ owner: 'extracted', epoch: 2 });
    expect(owners.default.owner).toBe('legacy');
  });

  it('say who the default owner is by a write that is accepted and has not moved', () => {
    const owners = new CohortOwnership();
    const before = owners.digest;
    expect(owners.accepted('C', 'extracted', 2)).toBe(true);
    expect(owners.default).toMatchObject({ owner: 'extracted', epoch: 2 });
    expect(owners.digest).not.toBe(before);
  });
});
