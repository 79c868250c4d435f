import { describe, expect, it } from '@jest/globals';
import { wayBackOf } from './way-back-state.ts';

const switched = {
  capability: 'shop',
  stage: 'switched',
  owner: 'extracted',
  trouble: [],
  parked: null,
  backfill: { state: 'done', rows: 0, total: 0, startedAt: null, at: null },
  drift: [],
  lag: { changes: 0, ms: 0 },
  cohorts: null,
} as const;

describe('the way back', () => {
  it('is there while legacy follows, and no matter before and after', () => {
    expect(wayBackOf(switched)).toEqual({ safe: true });
    expect(wayBackOf({ ...switched, owner: 'legacy', stage: 'reading' })).toBeNull();
    expect(wayBackOf({ ...switched, stage: 'complete' })).toBeNull();
  });

  it('is looked after while single customers are ahead of the rest', () => {
    const cohorts = { legacy: [], extracted: ['A'], nobody: [] };
    const ahead = { ...switched, owner: 'legacy', stage: 'reading', cohorts } as const;
    expect(wayBackOf(ahead)).toEqual({ safe: true });
    expect(wayBackOf({ ...ahead, broken: 'row 7' })).toMatchObject({ safe: false });
    const back = { legacy: ['A'], extracted: [], nobody: [] };
    expect(wayBackOf({ ...ahead, cohorts: back })).toBeNull();
  });

  it.each([
    [{ trouble: ['legacy: no file'] }, /no file/, 'fig status'],
    [{ drift: ['a new column'] }, /new column/, 'fig check shop --accept'],
    [{ broken: 'row 7' }, /row 7/, 'fig status'],
    [
      { parked: { changes: 2, aggregates: 1, reason: 'no way', since: 0 } },
      /2 changes: no way/,
      'fig parked list shop',
    ],
    [
      { backfill: { ...switched.backfill, state: 'none' as const } },
      /no complete copy/,
      'fig backfill shop',
    ],
    [{ lag: { changes: 9, ms: 11_000 } }, /9 changes \(11 s\) behind/, 'fig status -w'],
  ])('is unsafe with %j', (change, reason, next) => {
    expect(wayBackOf({ ...switched, ...change })).toMatchObject({
      safe: false,
      reason: expect.stringMatching(reason),
      next,
    });
  });
});
