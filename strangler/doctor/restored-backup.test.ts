import { describe, expect, it } from '@jest/globals';
import { restoredBackups } from './restored-backup.ts';
import type { BySide } from '../../routing/side.ts';
import type { OwnView, PeerView } from './restored-backup.ts';

const legacy: OwnView & PeerView = {
  incarnation: 'L',
  fence: { state: 'ceded', epoch: 2 },
  last: 100,
  mark: '100:7:1',
  followed: { position: 50, mark: '50:3:2' },
  pulse: 9,
  other: { incarnation: 'E', pulse: 8, epoch: 2 },
};
const extracted: OwnView & PeerView = {
  incarnation: 'E',
  fence: { state: 'open', epoch: 2 },
  last: 60,
  mark: '50:3:2',
  followed: { position: 100, mark: '100:7:1' },
  pulse: 9,
  other: { incarnation: 'L', pulse: 9, epoch: 2 },
};

function found(pair: BySide<OwnView & PeerView>, isMoving = false): unknown {
  return restoredBackups({ peerViews: pair, ownViews: pair, isMoving });
}

describe('a restored backup', () => {
  it('is nowhere in a pair of databases that has stayed together', () => {
    expect(found({ legacy, extracted })).toEqual([]);
    const never = { pulse: 0, other: null };
    const [a, b] = [
      { ...legacy, ...never },
      { ...extracted, ...never },
    ];
    expect(found({ legacy: a, extracted: b })).toEqual([]);
  });

  it.each<[string, Partial<OwnView>, RegExp]>([
    [
      'an epoch that it has had already',
      { fence: { state: 'closed', epoch: 0 } },
      /epoch 2 and is at 0/,
    ],
    ['a feed that ends before what was applied of it', { last: 49 }, /up to 50, and it ends at 49/],
    [
      'another change where it was followed to',
      { last: 80, mark: '50:3:9' },
      /another change at position 50/,
    ],
    ['fewer greetings', { pulse: 7 }, /has forgotten/],
    ['another incarnation', { incarnation: 'X' }, /another database/],
  ])('shows by %s', (_how, change, reason) => {
    expect(found({ legacy, extracted: { ...extracted, ...change } })).toEqual([
      { side: 'extracted', reason: expect.stringMatching(reason) },
    ]);
  });

  it('shows by what was ceded to it, also where nobody was ever introduced', () => {
    const ownViews = {
      legacy: { ...legacy, other: null },
      extracted: { ...extracted, fence: { state: 'closed' as const, epoch: 0 } },
    };
    expect(found(ownViews)).toMatchObject([{ side: 'extracted' }]);
    // In the middle of a handover the target is still to be opened.
    expect(found(ownViews, true)).toEqual([]);
  });
});
