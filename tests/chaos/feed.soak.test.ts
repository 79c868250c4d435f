import { describe, expect, it } from '@jest/globals';
import { runChaos } from './base/command.ts';
import './feed.test.ts';
import { expectMuchDone } from './feed/much-done.ts';

describe('a system that is killed, paused and robbed of its Redis', () => {
  it('loses none where all databases are on PostgreSQL', async () => {
    const { code, out, runs } = await runChaos('feed/main.ts', 1, ['--postgres', '--seed', '2']);
    expect({ code, out }).toEqual({ code: 0, out: '1 runs: nothing was lost\n' });
    for (const { facts } of runs) expectMuchDone(facts);
    expect(runs).toHaveLength(1);
  }, 600_000);
});
