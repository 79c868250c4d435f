import { describe, expect, test } from '@jest/globals';
import { compareReports } from './compare-reports.ts';
import type { Report } from './report.ts';
import { alone, compared, details } from './result.ts';
import type { Result } from './result.ts';

const machine = { cpu: 'x', cores: 2, memoryGb: 4, system: 'x', node: 'x', tools: {} };
const report = (...results: Result[]): Report => ({ machine, results });
const rate = (value: number): Report => report(alone({ name: 'copying', unit: 'rows/s', value }));
const lost = (value: number): Report =>
  report(alone({ name: 'lost', unit: 'writes', value, atMost: 0 }));

describe('two builds that were measured in turn', () => {
  test('are put side by side, pair by pair', () => {
    const ours = [100, 50, 120, 90, 110].map(rate);
    const theirs = [100, 50, 100, 100, 100].map(rate);
    expect(compareReports(ours, theirs, 'abc123')).toEqual({
      missing: [],
      results: [
        {
          name: 'copying',
          unit: 'rows/s',
          value: 50,
          rival: 'abc123',
          rivalValue: 50,
          ratio: 1,
          interval: { low: 0.9, high: 1.2, confidence: 0.9375 },
          goal: '>= 0.9x',
          ok: true,
        },
      ],
    });
  });

  test.each([
    { what: 'surely slower', ours: [70, 80, 85, 70, 80, 85], ok: false },
    { what: 'perhaps slower', ours: [70, 80, 95, 70, 80, 85], ok: true },
    { what: 'surely faster', ours: [150, 160, 170, 150, 160, 170], ok: true },
    { what: 'slower in too few pairs', ours: [70, 80, 85, 70, 80], ok: true },
  ])('miss a goal only for sure: $what', ({ ours, ok }) => {
    const { results } = compareReports(
      ours.map(rate),
      ours.map(() => rate(100)),
      'abc123',
    );
    expect(results[0]).toMatchObject({ ok });
  });

  test('less is better for times, and counts have no better', () => {
    const six = (value: number, unit: string) =>
      Array.from({ length: 6 }, () => report(alone({ name: 'x', unit, value })));
    const judge = (unit: string) => compareReports(six(2, unit), six(1, unit), 'abc123').results[0];
    expect(judge('ms')).toMatchObject({ goal: '<= 1.1x', ok: false });
    expect(judge('widgets')).toMatchObject({ goal: null, ok: true, ratio: 2 });
  });

  test('are not judged by what only explains other figures', () => {
    const slow = Array.from({ length: 6 }, (_, index) =>
      report(...details([alone({ name: 'a step', unit: 'ms', value: 9 + index })])),
    );
    const quick = slow.map(() => report(alone({ name: 'a step', unit: 'ms', value: 1 })));
    expect(compareReports(slow, quick, 'abc123').results[0]).toMatchObject({
      ratio: 11,
      goal: null,
      ok: true,
    });
  });

  test('must not lose anything in any turn', () => {
    const none = [0, 0, 0].map(lost);
    const { results } = compareReports([0, 3, 0].map(lost), none, 'abc123');
    expect(results[0]).toMatchObject({ value: 3, rivalValue: 0, goal: '<= 0 writes', ok: false });
    expect(compareReports(none, none, 'abc123').results[0]).toMatchObject({
      ratio: null,
      ok: true,
    });
  });

  test('are judged by each other, not by what one is beside its own rival', () => {
    const beside = { name: 'x', unit: 'ms', rival: 'other', rivalValue: 1, goal: { atMost: 1 } };
    const slower = [3, 3, 3].map((value) => report(compared({ ...beside, value })));
    expect(compareReports(slower, slower, 'abc123').results[0]).toMatchObject({
      ratio: 1,
      ok: true,
    });
  });

  test('may have figures of their own, which are named', () => {
    const [mine, other] = ['a', 'b'].map((name) =>
      [1].map((value) => report(alone({ name, unit: 'ms', value }))),
    ) as [Report[], Report[]];
    expect(compareReports(mine, other, 'abc123')).toEqual({ results: [], missing: ['a', 'b'] });
  });
});
