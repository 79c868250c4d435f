import { describe, expect, it } from '@jest/globals';
import { createLog } from './log.ts';
import { RepeatedLines } from './repeated-lines.ts';

describe('log lines that say the same', () => {
  it('are left out from the sixth in ten seconds on, and counted by the next', () => {
    let now = 0;
    const lines = new RepeatedLines(() => now);
    expect(Array.from({ length: 7 }, () => lines.admit('full'))).toEqual([
      0,
      0,
      0,
      0,
      0,
      undefined,
      undefined,
    ]);
    expect(lines.admit('away')).toBe(0);
    now = 10_000;
    expect([lines.admit('full'), lines.admit('full')]).toEqual([2, 0]);
  });

  it('are warnings and errors only, by their text and their error', () => {
    const written: { msg: string; err?: { message: string } }[] = [];
    const log = createLog('test', 'info', { write: (line) => written.push(JSON.parse(line)) });
    const full = new Error('database or disk is full');
    for (let count = 0; count < 100; count += 1) {
      log.info('as ever');
      log.error({ err: full, path: `/api/orders/${count}` }, 'request failed');
    }
    log.error({ err: new Error('another') }, 'request failed');
    expect(written.filter(({ msg }) => msg === 'as ever')).toHaveLength(100);
    expect(written.filter(({ err }) => err?.message === full.message)).toHaveLength(5);
    expect(written.at(-1)).toMatchObject({ err: { message: 'another' } });
  });
});
