import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../tests/support/index.ts';
import { processTable, statRow, timeToMs, usageBelow } from './processes.ts';

describe('what processes use', () => {
  test('is read from /proc, whatever a process is called', () => {
    const times = '0 0 0 0 0 0 0 250 50 0 0 20 0 1 0 100 5000000 300 0';
    const stat = `4711 (odd) name)) S 42 4711 4711 ${times}`;
    expect(statRow(stat, 10, 4_096)).toEqual({
      pid: 4_711,
      parent: 42,
      processorMs: 3_000,
      memory: 300 * 4_096,
    });
  });

  test.each([
    { text: '0:01.50', ms: 1_500 },
    { text: '12:34.56', ms: 754_560 },
    { text: '01:02:03', ms: 3_723_000 },
    { text: '2-01:00:00', ms: 176_400_000 },
  ])('is $ms ms where ps writes $text', ({ text, ms }) => {
    expect(timeToMs(text)).toBeCloseTo(ms, 3);
  });

  test('includes the processes below', () => {
    const row = (pid: number, parent: number) => ({ pid, parent, processorMs: pid, memory: 10 });
    const table = new Map(
      [row(1, 0), row(2, 1), row(3, 2), row(4, 0)].map((one) => [one.pid, one]),
    );
    expect(usageBelow(table, 1)).toEqual({ processorMs: 6, memory: 30 });
    expect(usageBelow(table, 9)).toBeUndefined();
  });

  test('grows with the work of a real one', async () => {
    const child = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
    try {
      await eventually(async () => {
        const usage = usageBelow(await processTable(), child.pid as number);
        expect(usage?.processorMs).toBeGreaterThan(50);
        expect(usage?.memory).toBeGreaterThan(1e6);
      });
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
});
