import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { RoutingState } from '../../routing/index.ts';
import {
  NO_EVIDENCE,
  ownershipOf,
  withAcceptance,
  withFenceAnswer,
  withUpdate,
} from './ownership.ts';
import type { OwnershipEvidence } from './ownership.ts';

function update(more: Partial<RoutingState>): RoutingState {
  return {
    capability: 'stock',
    owner: 'legacy',
    epoch: 1,
    replicaReady: true,
    holding: false,
    generation: 1,
    ...more,
  };
}

const LEGACY = withUpdate(NO_EVIDENCE, update({}));

describe('what is believed about an owner', () => {
  it('is legacy while nothing is known, and nobody reads elsewhere', () => {
    expect(ownershipOf(NO_EVIDENCE)).toEqual({
      owner: 'legacy',
      epoch: 0,
      replicaReady: false,
      holding: false,
      known: false,
      certain: false,
    });
  });

  it('follows the newest update', () => {
    const moved = withUpdate(LEGACY, update({ owner: 'extracted', epoch: 2 }));
    expect(ownershipOf(moved)).toMatchObject({ owner: 'extracted', epoch: 2, replicaReady: true });
    expect(withUpdate(moved, update({ generation: 9 }))).toBe(moved);
  });

  it('keeps the last owner, and holds, while there is none', () => {
    const between = withUpdate(LEGACY, update({ owner: null, epoch: 2 }));
    expect(ownershipOf(between)).toMatchObject({ owner: 'legacy', holding: true });
  });

  it('trusts a side that ceded more than older update, in whichever order they come', () => {
    const ceded = { side: 'legacy', state: 'ceded', epoch: 2 } as const;
    const late = update({ owner: 'legacy', epoch: 2, holding: true });
    const first = withUpdate(withFenceAnswer(LEGACY, ceded), late);
    const second = withFenceAnswer(withUpdate(LEGACY, late), ceded);
    for (const known of [first, second]) {
      expect(ownershipOf(known)).toMatchObject({ owner: 'extracted', epoch: 2, holding: false });
    }
    const confirmed = withUpdate(first, update({ owner: 'extracted', epoch: 2, generation: 2 }));
    expect(ownershipOf(confirmed)).toMatchObject({ owner: 'extracted', replicaReady: true });
    const back = withUpdate(confirmed, update({ owner: 'legacy', epoch: 3 }));
    expect(ownershipOf(back)).toMatchObject({ owner: 'legacy', epoch: 3 });
  });

  it('holds while the owner is closed, until update or a write say otherwise', () => {
    const closed = withFenceAnswer(LEGACY, { side: 'legacy', state: 'closed', epoch: 2 });
    expect(ownershipOf(closed)).toMatchObject({ owner: 'legacy', holding: true });
    const aborted = withUpdate(closed, update({ epoch: 3 }));
    expect(ownershipOf(aborted)).toMatchObject({ owner: 'legacy', holding: false });
    expect(ownershipOf(withAcceptance(closed, 'legacy', 2)).holding).toBe(false);
    expect(ownershipOf(withAcceptance(closed, 'extracted', 2))).toMatchObject({
      owner: 'extracted',
      epoch: 2,
    });
  });

  it('learns nothing from the closed fence of a side that is not the owner', () => {
    const answer = { side: 'extracted', state: 'closed', epoch: 0 } as const;
    expect(withFenceAnswer(LEGACY, answer)).toBe(LEGACY);
  });

  it('ends up with the truth whatever order true facts come in', () => {
    // Legacy gave up in epoch 2, took back in epoch 3, gave up again in epoch 4.
    const facts: ((known: OwnershipEvidence) => OwnershipEvidence)[] = [
      (known) => withUpdate(known, update({})),
      (known) => withUpdate(known, update({ epoch: 2, owner: null, holding: true })),
      (known) => withFenceAnswer(known, { side: 'legacy', state: 'ceded', epoch: 2 }),
      (known) => withUpdate(known, update({ epoch: 2, owner: 'extracted', generation: 2 })),
      (known) => withFenceAnswer(known, { side: 'extracted', state: 'closed', epoch: 3 }),
      (known) => withFenceAnswer(known, { side: 'extracted', state: 'ceded', epoch: 3 }),
      (known) => withUpdate(known, update({ epoch: 3, owner: 'legacy' })),
      (known) => withFenceAnswer(known, { side: 'legacy', state: 'ceded', epoch: 4 }),
      (known) => withUpdate(known, update({ epoch: 4, owner: 'extracted' })),
    ];
    const order = fc.shuffledSubarray(facts, { minLength: facts.length });
    fc.assert(
      fc.property(order, (shuffled) => {
        const known = shuffled.reduce((before, learn) => learn(before), NO_EVIDENCE);
        expect(ownershipOf(known)).toMatchObject({ owner: 'extracted', epoch: 4, holding: false });
      }),
    );
  });
});
