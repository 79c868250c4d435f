import { describe, expect, it } from '@jest/globals';
import { judgeGates, refusalOf } from './gates.ts';
import type { GateFacts } from './gates.ts';

const now = 1_700_000_000_000;
const builds = { old: { name: 'mono', version: '1' }, new: { name: 'stock', version: '7' } };
const contract = {
  run: { ok: true, at: now, ...builds },
  running: builds,
  command: 'npm run contract',
};
const good: GateFacts = {
  capability: 'stock',
  to: 'extracted',
  trouble: null,
  source: { state: 'open', epoch: 1 },
  target: { state: 'closed', epoch: 0 },
  mappingCurrent: true,
  drift: [],
  backfilled: true,
  broken: null,
  parked: 0,
  lag: { changes: 3, ms: 20 },
  prediction: { holdMs: 20, from: 'the last one took 20 ms' },
  drain: null,
  demand: null,
  reconcile: { at: now - 60_000, clean: true },
  contract,
  lateSequences: [],
  invariants: { tried: true, result: [] },
  wayBack: { tried: true, result: null },
  trespass: null,
  now,
};

const reading = { name: 'units', legacy: '5', extracted: '5', problem: null };

describe('the gates of a handover', () => {
  it('are open when everything holds', () => {
    const gates = judgeGates({ ...good, invariants: { tried: true, result: [reading] } });
    expect(refusalOf(gates)).toBeUndefined();
    expect(gates.map(({ gate }) => gate)).toEqual([...new Set(gates.map(({ gate }) => gate))]);
    expect(gates.length).toBeGreaterThan(14);
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
    [
      'another schema',
      { drift: ['legacy table A: a new column B', 'a trigger is gone'] },
      'schema',
      /new column B; a trigger is gone/,
      'fig check stock --accept',
    ],
    ['no copy', { backfilled: false }, 'backfill', /complete copy/, 'fig backfill stock'],
    ['a change that fails', { broken: 'row 7' }, 'broken', /row 7/, 'fig status'],
    ['parked changes', { parked: 2 }, 'parked', /could not take/, 'fig parked list stock'],
    ['many changes behind', { lag: { changes: 1001, ms: 0 } }, 'lag', /1001/, 'fig status -w'],
    ['long behind', { lag: { changes: 1, ms: 1001 } }, 'lag', /1001 ms/, 'fig status -w'],
    [
      'facades that can not be asked',
      { drain: 'no facade has asked' },
      'drain',
      /no facade/,
      'fig status',
    ],
    [
      'a long hold',
      { prediction: { holdMs: 5_001, from: 'the last one took 5000 ms' } },
      'hold',
      /about 5001 ms; the budget is 5000 ms: the last one/,
      'fig status -w',
    ],
    [
      'a demand that came during the last comparison',
      { demand: { reason: 'a backup was restored', at: now - 60_500 } },
      'full_reconcile',
      /a backup was restored/,
      'fig reconcile stock',
    ],
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
    [
      'answers that were never compared',
      { contract: { ...contract, run: null } },
      'contract',
      /never been compared/,
      'npm run contract',
    ],
    [
      'answers that differ',
      { contract: { ...contract, run: { ...contract.run, ok: false } } },
      'contract',
      /did not answer alike/,
      'npm run contract',
    ],
    [
      'another version than was compared',
      { contract: { ...contract, running: { ...builds, new: { name: 'stock', version: '8' } } } },
      'contract',
      /answers of stock 7 were compared; what runs is stock 8/,
      'npm run contract',
    ],
    [
      'a side that does not tell its version',
      { contract: { ...contract, running: { trouble: 'stock does not answer' } } },
      'contract',
      /stock does not answer/,
      'fig status',
    ],
    [
      'ids that would be given out twice',
      { lateSequences: ['orders.id is at 3, the highest is 9'] },
      'sequences',
      /at 3, the highest is 9/,
      'fig reconcile stock',
    ],
    [
      'totals that differ',
      {
        invariants: { tried: true, result: [reading, { ...reading, name: 'cents', legacy: '6' }] },
      },
      'invariants',
      /^cents: 6 in legacy, 5 in extracted$/,
      'fig reconcile stock',
    ],
    [
      'totals that can not be read',
      { invariants: { tried: true, result: [{ ...reading, problem: 'no such table' }] } },
      'invariants',
      /units: no such table/,
      'fig reconcile stock',
    ],
    [
      'no way back',
      { wayBack: { tried: true, result: 'disk full' } },
      'way_back',
      /no way back: disk full/,
      'fig check stock',
    ],
  ])('refuse %s, with the reason and the next command', (_, change, gate, reason, next) => {
    expect(refusalOf(judgeGates({ ...good, ...change }))).toEqual({
      ok: false,
      gate,
      reason: expect.stringMatching(reason),
      next,
    });
  });

  it('are all told, not only the first that refuses', () => {
    const gates = judgeGates({ ...good, parked: 1, reconcile: null, wayBack: { tried: false } });
    expect(gates.filter(({ ok }) => !ok).map(({ gate }) => gate)).toEqual([
      'parked',
      'reconcile',
      'way_back',
    ]);
    expect(judgeGates({ ...good, trouble: 'no file' })).toHaveLength(1);
  });

  it('may be set wider', () => {
    const behind = { ...good, lag: { changes: 5_000, ms: 5_000 } };
    const limits = { lagChanges: 10_000, lagMs: 10_000, reconcileAgeMs: 1_000_000, holdMs: 1_000 };
    expect(refusalOf(judgeGates(behind, limits))).toBeUndefined();
  });

  it('only warn of writes that bypass the application', () => {
    const trespass = { writes: 3, since: now - 86_400_000, newest: now - 30_000 };
    const gates = judgeGates({ ...good, trespass });
    expect(refusalOf(gates)).toBeUndefined();
    expect(gates.at(-1)).toMatchObject({
      gate: 'shadow_fence',
      note: expect.stringMatching(
        /^3 writes bypassed the application since 2023-.*the newest 30 s ago/,
      ),
    });
  });
});
