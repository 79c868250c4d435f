import { describe, expect, it } from '@jest/globals';
import { passed, percentile, renderReport } from './report.ts';
import type { Report } from './report.ts';

const sound: Report = {
  orders: { sent: 2, confirmed: 1, refused: 1, failed: 0 },
  requests: { total: 12, failed: 0, staleReads: 0 },
  expectedFailed: [],
  charged: { USD: 1234 },
  stock: { A: 1 },
  handovers: [
    {
      capability: 'inventory',
      direction: 'forward',
      holdMs: { p50: 1, p99: 2, max: 2 },
      heldWrites: 2,
      liveWrites: 9,
    },
  ],
  mismatches: { inventory: 0 },
  converged: true,
  invariants: [{ name: 'stock is never negative', ok: true, detail: '' }],
  seed: 1,
  seconds: 3,
  examples: [],
};

describe('a report', () => {
  it('passes when nothing is wrong, and says so', () => {
    expect(passed(sound)).toBe(true);
    expect(renderReport(sound)).toMatch(/USD 12\.34[^]*nothing was lost/);
  });

  it.each<[string, Partial<Report>]>([
    ['an order without an answer', { orders: { ...sound.orders, failed: 1 } }],
    ['a failed request', { requests: { ...sound.requests, failed: 1 } }],
    ['a stale read', { requests: { ...sound.requests, staleReads: 1 } }],
    ['sides that differ', { converged: false }],
    ['a broken invariant', { invariants: [{ name: 'x', ok: false, detail: 'y' }] }],
  ])('fails for %s', (_what, wrong) => {
    const report = { ...sound, ...wrong };
    expect(passed(report)).toBe(false);
    expect(renderReport(report)).toMatch(/FAILED/);
  });

  it('fails for a handover that met no write, and names it', () => {
    const [moved] = sound.handovers;
    if (!moved) throw new Error('a handover');
    const unseen = { ...moved, capability: 'payment', liveWrites: 0, heldWrites: 0 };
    const report = { ...sound, handovers: [moved, unseen] };
    expect(passed(report)).toBe(false);
    const text = renderReport(report);
    expect(text).toContain('Handover   inventory forward: 9 live writes, 2 held, p50 1.0 ms');
    expect(text).toContain('NOT SHOWN  payment forward: no client wrote');
    expect(text).toMatch(/: FAILED, 1 of 2 handovers not shown\n$/);
  });

  it('passes with failed requests that an outage explains, and no others', () => {
    const outage = { process: 'monolith', from: 0, to: 1_000, requests: 3 } as const;
    const report = { ...sound, expectedFailed: [outage] };
    expect(passed({ ...report, requests: { ...sound.requests, failed: 3 } })).toBe(true);
    expect(passed({ ...report, requests: { ...sound.requests, failed: 4 } })).toBe(false);
  });
});

describe('a percentile', () => {
  it('is the nearest rank', () => {
    const samples = [5, 1, 4, 2, 3];
    expect([0, 0.5, 0.99, 1].map((share) => percentile(samples, share))).toEqual([1, 3, 5, 5]);
    expect(percentile([], 0.5)).toBe(0);
  });
});
