import { describe, expect, test } from '@jest/globals';
import { inTurns, middlePair, Rounds } from './rounds.ts';

const quiet = { say: () => {}, show: String, signal: new AbortController().signal };

describe('turns', () => {
  test('alternate, so that nobody is always first', async () => {
    const order: string[] = [];
    const lane = (name: string) => ({
      name,
      run: async (round: number) => order.push(`${name}${round}`),
    });
    await inTurns([lane('a'), lane('b'), lane('c')], { ...quiet, rounds: 3 });
    expect(order).toEqual(['a0', 'b0', 'c0', 'c1', 'b1', 'a1', 'a2', 'b2', 'c2']);
  });

  test('say after each what it was, and of how many', async () => {
    const said: string[] = [];
    const lanes = [{ name: 'ours', run: async () => 7 }];
    await inTurns(lanes, { ...quiet, rounds: 2, say: (text) => said.push(text) });
    expect(said.map((text) => text.trim().replaceAll(/ +/g, ' '))).toEqual([
      'round 1 of 2 ours 7',
      'round 2 of 2 ours 7',
    ]);
  });

  test('end when they are interrupted', async () => {
    const stop = new AbortController();
    const lanes = [{ name: 'ours', run: async () => stop.abort(new Error('enough')) }];
    const turns = inTurns(lanes, { ...quiet, rounds: 3, signal: stop.signal, show: () => '' });
    await expect(turns).rejects.toThrow('enough');
  });
});

describe('figures side by side', () => {
  test('are those of the round in the middle by ratio, whatever disturbed whole rounds', () => {
    // The third round was ten times slower for both, the fifth disturbed only one.
    const rounds = new Rounds(
      new Map([
        ['ours', [100, 130, 11, 120, 30]],
        ['rival', [100, 100, 10, 100, 100]],
      ]),
    );
    const { value, rivalValue, interval } = rounds.beside('ours', 'rival', (of) => of);
    expect({ value, rivalValue }).toEqual({ value: 11, rivalValue: 10 });
    expect(interval).toEqual({ low: 0.3, high: 1.3, confidence: 0.9375 });
  });

  test('may refer to a third lane of the same round', () => {
    const rounds = new Rounds(
      new Map([
        ['ours', [5, 7, 9]],
        ['rival', [4, 6, 8]],
        ['direct', [3, 5, 7]],
      ]),
    );
    const added = rounds.beside('ours', 'rival', (of, round) => of - round('direct'));
    expect(added).toMatchObject({ value: 2, rivalValue: 1 });
  });

  test('without a rival are the one lane alone', () => {
    const rounds = new Rounds(new Map([['ours', [3, 1, 2]]]));
    expect(rounds.beside('ours', 'rival', (of) => of)).toEqual({ value: 2 });
  });

  test('of an even number of pairs are the lower middle', () => {
    const pairs = [4, 3, 2, 1].map((value) => ({ value, rivalValue: 1 }));
    expect(middlePair(pairs)).toMatchObject({ value: 2, rivalValue: 1 });
  });
});
