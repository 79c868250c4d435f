import { describe, expect, it } from '@jest/globals';
import { ownerOf } from '../ownership/owner.ts';
import { stageOf } from './stage.ts';
import type { StageFacts } from './stage.ts';

const fence = (state: 'open' | 'closed' | 'ceded', epoch: number) => ({ state, epoch }) as const;
const start: StageFacts = {
  fences: { legacy: fence('open', 1), extracted: fence('closed', 0) },
  moving: false,
  completion: null,
  backfill: 'none',
  shares: { shadow: 0, reads: 0 },
};
const copied = { ...start, backfill: 'done' } as const;
const away = { legacy: fence('ceded', 2), extracted: fence('open', 2) };

describe('the stage of a capability', () => {
  it.each<[string, StageFacts, string]>([
    ['before anything', { ...start, fences: { ...start.fences, legacy: null } }, 'not installed'],
    ['installed', start, 'legacy'],
    ['while copying', { ...start, backfill: 'running' }, 'backfilling'],
    ['copied', copied, 'replicating'],
    ['compared', { ...copied, shares: { shadow: 5, reads: 0 } }, 'shadowing'],
    ['read from', { ...copied, shares: { shadow: 5, reads: 1 } }, 'reading'],
    ['asked to move, but not moved', { ...copied }, 'replicating'],
    ['in a handover', { ...copied, moving: true }, 'moving'],
    ['moved', { ...copied, fences: away }, 'switched'],
    ['with two owners', { ...copied, fences: { ...away, legacy: fence('open', 1) } }, 'alarm'],
  ])('%s', (_, facts, stage) => {
    expect(stageOf(facts)).toBe(stage);
  });

  it('knows the owner only when there is exactly one', () => {
    expect(ownerOf(start.fences)).toBe('legacy');
    expect(ownerOf(away)).toBe('extracted');
    expect(ownerOf({ ...away, legacy: fence('open', 3) })).toBeNull();
    expect(ownerOf({ legacy: fence('closed', 2), extracted: fence('closed', 0) })).toBeNull();
  });
});
