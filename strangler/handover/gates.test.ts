import { describe, expect, it } from '@jest/globals';
import { checkGates } from './gates.ts';
import type { GateFacts } from './gates.ts';

const now = 1_700_000_000_000;
const good: GateFacts = {
  capability: 'stock',
  to: 'extracted',
  trouble: null,
  source: { state: 'open', epoch: 1 },
  target: { state: 'closed', epoch: 0 },
  mappingCurrent: true,
  backfilled: true,
  broken: null,
  parked: 0,
  lag: { changes: 3, ms: 20 },
  reconcile: { at: now - 60_000, clean: true },
  now,
};

describe('the gates of a handover', () => {
  it('are open when everything holds', () => {
    expect(checkGates(good)).toEqual({ ok: true });
  });

  it.each<[string, Partial<GateFacts>, string, RegExp, string | null]>([
    ['an unreachable side', { trouble: 'no file' }, 'reachable', /no file/, 'fig status'],
    [
      'a second owner',
      { target: { state: 'open', epoch: 5 } },
      'fences',
      /extracted is open \(5\)/,
      'fig journal stock',
    ],
    ['another mapping', { mappingCurrent: false }, 'mapping', /differs/, null],
    ['no copy', { backfilled: false }, 'backfill', /complete copy/, 'fig backfill stock'],
    ['a change that fails', { broken: 'row 7' }, 'broken', /row 7/, 'fig status'],
    ['parked changes', { parked: 2 }, 'parked', /could not take/, 'fig parked list stock'],
    ['many changes behind', { lag: { changes: 1001, ms: 0 } }, 'lag', /1001/, 'fig status -w'],
    ['long behind', { lag: { changes: 1, ms: 1001 } }, 'lag', /1001 ms/, 'fig status -w'],
    ['no comparison', { reconcile: null }, 'reconcile', /never/, 'fig reconcile stock'],
    [
      'differences',
      { reconcile: { at: now, clean: false } },
      'reconcile',
      /differences/,
      'fig reconcile stock',
    ],
    [
      'an old comparison',
      { reconcile: { at: now - 11 * 60_000, clean: true } },
      'reconcile',
      /11 min old; the limit is 10 min/,
      'fig reconcile stock',
    ],
  ])('refuse %s, with the reason and the next command', (_, change, gate, reason, next) => {
    expect(checkGates({ ...good, ...change })).toEqual({
      ok: false,
      gate,
      reason: expect.stringMatching(reason),
      next,
    });
  });

  it('may be set wider', () => {
    const behind = { ...good, lag: { changes: 5_000, ms: 5_000 } };
    const limits = { lagChanges: 10_000, lagMs: 10_000, reconcileAgeMs: 1_000_000 };
    expect(checkGates(behind, limits).ok).toBe(true);
  });
});
