import { describe, expect, it } from '@jest/globals';
import { sharedRun } from './shared-run.ts';

/** Work whose runs are ended by hand. */
function work() {
  const ends: ((value: number) => void)[] = [];
  const fails: ((error: Error) => void)[] = [];
  const ask = sharedRun(() => {
    return new Promise<number>((resolve, reject) => {
      ends.push(resolve);
      fails.push(reject);
    });
  });
  return { ask, ends, fails };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('work that many ask for', () => {
  it('runs once more for all who asked while it ran, and not with what it had begun before', async () => {
    const { ask, ends } = work();
    const first = ask();
    await turn();
    const later = [ask(), ask(), ask()];
    await turn();
    expect(ends).toHaveLength(1);
    ends[0]?.(1);
    await turn();
    expect(ends).toHaveLength(2);
    ends[1]?.(2);
    expect(await Promise.all([first, ...later])).toEqual([1, 2, 2, 2]);
  });

  it('tells its error to those who shared the run, and runs again for the next', async () => {
    const { ask, ends, fails } = work();
    const first = ask();
    await turn();
    fails[0]?.(new Error('the disk is full'));
    await expect(first).rejects.toThrow('the disk is full');
    const second = ask();
    await turn();
    ends[1]?.(2);
    expect(await second).toBe(2);
  });
});
