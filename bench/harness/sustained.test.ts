import { describe, expect, test } from '@jest/globals';
import { findSustained } from './sustained.ts';

/** A system of one station: each client waits for 10 ms, then for its turn at 2 ms of work. */
const station = (clients: number): number => Math.min(clients / 0.012, 500);

describe('what a system sustains', () => {
  test('is found where more clients get no more done', async () => {
    const asked: number[] = [];
    const found = await findSustained(async (clients) => {
      asked.push(clients);
      return station(clients);
    });
    expect(found).toEqual({ perSecond: 500, clients: 8 });
    expect(asked).toEqual([4, 8, 16, 32]);
  });

  test('is not mistaken for one step that was disturbed', async () => {
    const rates = new Map([
      [4, 100],
      [8, 90],
      [16, 400],
      [32, 410],
      [64, 405],
    ]);
    const found = await findSustained(async (clients) => rates.get(clients) ?? 0);
    expect(found).toEqual({ perSecond: 410, clients: 32 });
  });

  test('is the best seen when too many clients get less done', async () => {
    const found = await findSustained(async (clients) => 1_000 / clients);
    expect(found).toEqual({ perSecond: 250, clients: 4 });
  });

  test('is looked for no further than the limit', async () => {
    const found = await findSustained(async (clients) => clients, { upTo: 16 });
    expect(found).toEqual({ perSecond: 16, clients: 16 });
  });

  test('is not nothing', async () => {
    await expect(findSustained(async () => 0)).rejects.toThrow('nothing was answered');
  });
});
