import { describe, expect, test } from '@jest/globals';
import { pauses, resultsOf } from './bench.ts';
import type { Handover, Hold } from './handover.ts';
import type { RecordedRequest } from './ledger.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

const handover = (capability: string, epoch: number, holdMs: number): Handover => ({
  capability,
  way: epoch % 2 === 0 ? 'forward' : 'back',
  epoch,
  holdMs,
  steps: [{ step: 'close', at: 0, ms: 1 }],
  from: epoch * 1_000,
  to: epoch * 1_000 + holdMs,
});
const hold = (capability: string, epoch: number, ms: number): Hold => ({ capability, epoch, ms });
const told = (
  kind: RecordedRequest['kind'],
  ms: number,
  more: Partial<RecordedRequest> = {},
): RecordedRequest => ({
  kind,
  key: `${kind}-${ms}`,
  sku: 'HOT-01',
  amount: 1,
  dueAt: 5_000_000,
  doneAt: 5_000_000 + ms,
  status: kind === 'read' ? 200 : 201,
  detail: null,
  ...more,
});

const moved = {
  again: 0,
  handovers: [
    handover('inventory', 2, 8),
    handover('inventory', 3, 12),
    handover('payment', 2, 30),
  ],
  holds: [
    ...upTo(100).map((ms) => hold('inventory', 2, ms)),
    // Of a handover that does not count, and of the other capability.
    hold('inventory', 1, 5_000),
    hold('payment', 2, 7_000),
  ],
};
const quiet = [
  ...upTo(101).map((ms) => told('adjustment', ms)),
  told('payment', 400),
  told('read', 9_000),
  told('adjustment', 8_000, { status: 503 }),
];

describe('how long writes are paused', () => {
  test('is told in multiples of the same write while nothing moves', () => {
    expect(pauses({ moved, quiet }, 'inventory')).toMatchObject([
      { value: expect.closeTo(99.01), rivalValue: 100, ratio: expect.closeTo(0.99), goal: '<= 3x' },
      { value: 10, rivalValue: 51, ratio: expect.closeTo(0.196), goal: '<= 2x' },
      { value: 100, unit: 'writes', goal: null },
    ]);
    expect(pauses({ moved, quiet }, 'payment')).toMatchObject([
      { value: 7_000, rivalValue: 400, ratio: 17.5, ok: false },
      { value: 30, rivalValue: 400, ok: true },
      { value: 1 },
    ]);
  });

  test('is nothing where no write was paused', () => {
    const [pause] = pauses({ moved: { ...moved, holds: [] }, quiet }, 'inventory');
    expect(pause).toMatchObject({ value: 0, ratio: 0, ok: true });
  });
});

describe('the report of handovers', () => {
  const verdict = { failed: 0, examples: [], lostWrites: 0, doubleEffects: 0, lostUnits: 0 };
  const performance = {
    load: 200,
    perSecond: 199,
    ledger: quiet,
    quiet,
    verdict: { ...verdict, acknowledgedUnits: 10 },
    processorMs: new Map([
      ['engine', 1],
      ['facade', 2],
      ['clients', 4],
    ]),
  };
  const ours = { ...performance, moved };
  const flipped = { ...performance, moved: { databasesEqual: true } };

  test('has no goal that is an absolute figure of one machine', () => {
    const goals = resultsOf(ours, flipped, 3).filter(({ goal }) => goal !== null);
    expect(goals.length).toBeGreaterThan(8);
    for (const { goal } of goals) {
      expect(goal).toMatch(/x$|^<= 0 |^>= 3 handovers$/);
    }
  });

  test('names each figure once, and each the same with a rival and without', () => {
    const names = resultsOf(ours, flipped, 3).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(resultsOf(ours, undefined, 3).map(({ name }) => name)).toEqual(names);
  });

  test('says what each process and the system cost a request, clients apart', () => {
    const results = resultsOf(ours, flipped, 3);
    const processor = results.filter(({ name }) => name.startsWith('processor'));
    expect(processor.map(({ name, value }) => [name, value])).toEqual([
      ['processor per request, engine', 1],
      ['processor per request, facade', 2],
      ['processor per request, clients', 4],
      ['processor per request, all of the system', 3],
      ['processor of all of the system', expect.closeTo(59.7)],
    ]);
  });

  test.each(['failed', 'lostWrites', 'doubleEffects', 'lostUnits'] as const)(
    'misses a goal when there is one of %s',
    (what) => {
      const worse = { ...ours, verdict: { ...ours.verdict, [what]: 1 } };
      const met = (of: typeof ours): number =>
        resultsOf(of, undefined, 3).filter(({ ok }) => ok).length;
      expect(met(worse)).toBe(met(ours) - 1);
    },
  );
});
