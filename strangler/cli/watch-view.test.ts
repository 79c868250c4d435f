import { describe, expect, it } from '@jest/globals';
import type { FacadeAnswer } from './facade-status.ts';
import type { ShownStatus } from './status-text.ts';
import { sparkline, WatchView, wrapped } from './watch-view.ts';

const plain = (_colour: string, text: string): string => text;

function statusOf(capability: string, lagMs: number): ShownStatus {
  return {
    capability,
    stage: 'shadow',
    owner: 'legacy',
    epoch: 3,
    fences: { legacy: null, extracted: null },
    shares: { shadow: 100, reads: 10, writes: false, conditions: {} },
    lag: { changes: 2, ms: lagMs },
    backfill: { state: 'done', rows: 7, total: 7, startedAt: null, at: null },
    reconcile: null,
    parked: null,
    demand: null,
    moving: null,
    lastHandover: null,
    completion: null,
    drift: [],
    trespass: null,
    cohorts: null,
    trouble: [],
    gates: [
      { gate: 'lag', ok: true, note: null },
      { gate: 'reconcile', ok: false, reason: 'it was never compared', next: 'fig reconcile' },
    ],
  } as unknown as ShownStatus;
}

function facade(perSecond: number, errorsPerSecond: number, p99Ms: number): FacadeAnswer {
  const traffic = { capability: 'payment', requests: 9, errors: 1, p50Ms: 1 };
  const sides = ['legacy', 'extracted'].map((side) => {
    return { ...traffic, side, perSecond, errorsPerSecond, p99Ms };
  });
  return { url: 'http://f', code: 200, facts: { traffic: sides } as never };
}

function viewOf(): WatchView {
  const view = new WatchView(plain);
  const all = (ms: number) => [statusOf('inventory', ms), statusOf('payment', ms)];
  for (const ms of [0, 500, 1_000])
    view.look(['engine at x'], all(ms), [facade(5, 0.5, 12), facade(7, 0, 40)]);
  return view;
}

describe('fig status -w', () => {
  it('shows rates, errors and the worst latency of each side over all facades, and lag as a line', () => {
    const text = viewOf().text(80, true);
    expect(text).toContain('legacy     12.0/s, 0.5 errors/s, p99 40 ms');
    expect(text).toContain('extracted  12.0/s, 0.5 errors/s, p99 40 ms');
    expect(text).toContain('▁▅█  1.0 s');
    expect(text).toContain('▸ inventory');
    expect(text).toContain('q quit');
  });

  it('chooses by arrows, shows one alone with its gates by enter, and ends by q and Ctrl-C', () => {
    const view = viewOf();
    expect(view.press('\u001b[B')).toBe(false);
    expect(view.text(80, true)).toContain('▸ payment');
    view.press('\u001b[B');
    view.press('\r');
    const alone = view.text(80, true);
    expect(alone).not.toContain('inventory');
    expect(alone).toContain('✗ reconcile: it was never compared');
    view.press('\u001b');
    view.press('\u001b[A');
    expect(view.text(80, true)).toContain('▸ inventory');
    expect(view.press('x')).toBe(false);
    expect(['q', '\u0003'].map((key) => view.press(key))).toEqual([true, true]);
    // Where the input is no terminal, no key is offered.
    expect(view.text(80, false)).not.toMatch(/q quit|▸/);
  });

  it('breaks lines between words, and cuts none', () => {
    const view = new WatchView(plain);
    const around = `the facade at http://127.0.0.1:8081 ${'does not answer '.repeat(12)}`.trim();
    view.look([around], [statusOf('payment', 0)], []);
    for (const columns of [80, 40]) {
      const lines = view.text(columns, true).split('\n');
      expect(lines.filter((line) => line.length > columns)).toEqual([]);
      expect(lines.join(' ').replaceAll(/ +/g, ' ')).toContain(around);
    }
    expect(wrapped(`\u001b[31m${'a'.repeat(80)}\u001b[0m`, 80)).toHaveLength(1);
  });

  it('draws the highest lag as a full bar', () => {
    expect(sparkline([0, 1, 2, 4, 8])).toBe('▁▂▃▅█');
    expect(sparkline([0, 0])).toBe('▁▁');
  });
});
