import { describe, expect, it } from '@jest/globals';
import { Deadlines } from './deadlines.ts';
import type { Timed } from './deadlines.ts';

function timed(name: string, expired: string[]): Timed {
  return {
    dueAt: 0,
    previous: undefined,
    next: undefined,
    expire: () => void expired.push(name),
  };
}

const until = (done: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    const check = setInterval(() => {
      if (!done()) return;
      clearInterval(check);
      resolve();
    }, 5);
  });

describe('deadlines', () => {
  it('pass in order, for those who neither left nor started anew', async () => {
    const expired: string[] = [];
    const deadlines = new Deadlines(100);
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => timed(name, expired)) as [
      Timed,
      Timed,
      Timed,
      Timed,
    ];
    const now = performance.now();
    for (const each of [a, b, c, d]) deadlines.start(each, now);
    deadlines.stop(b);
    deadlines.stop(b);
    deadlines.start(a, now + 100);
    await until(() => expired.length === 3);
    expect(expired).toEqual(['c', 'd', 'a']);
    deadlines.start(b, performance.now());
    await until(() => expired.length === 4);
  });
});
