import { describe, expect, it } from '@jest/globals';
import { runChaos } from './base/command.ts';
import './handover.test.ts';

describe('handovers between databases on PostgreSQL', () => {
  it('lose no write that a client was told of, and repeat none', async () => {
    const { code, out, runs } = await runChaos('handover/main.ts', 1, [
      '--postgres',
      '--seed',
      '2',
    ]);
    expect({ code, out }).toEqual({ code: 0, out: '1 runs: nothing was lost\n' });
    for (const { facts } of runs) expect(facts['writes']).toBeGreaterThan(100);
    expect(runs).toHaveLength(1);
  }, 900_000);
});
