import { median } from './median.ts';
import type { Report } from './report.ts';
import { alone, compared } from './result.ts';
import type { RatioGoal, Result } from './result.ts';
import { middlePair } from './rounds.ts';

/** A build may be a tenth worse than another before that is a finding. */
const WORSE = { less: { atMost: 1.1 }, more: { atLeast: 0.9 } } as const;
/** Of fewer than six pairs no interval is as sure as that. */
const SURE = 0.95;
/** Less is better for these units, more for anything a second; other units have no better. */
const LESS = new Set(['ms', 's', 'MB', 'ms/request', '% of a core', 'modules']);

interface Compare {
  readonly results: readonly Result[];
  /** Figures that only one of the two builds has. */
  readonly missing: readonly string[];
}

/**
 * Puts the figures of two builds that were measured in turn side by side, by their names; the reports at
 * one index are a pair.
 * @param version of the other build
 */
export function compareReports(
  ours: readonly Report[],
  theirs: readonly Report[],
  version: string,
): Compare {
  const names = [...new Set([...ours, ...theirs].flatMap(({ results }) => results.map(nameOf)))];
  const results: Result[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const [mine, other] = [ours, theirs].map((reports) => reports.flatMap(named(name)));
    if (mine?.length === ours.length && other?.length === ours.length) {
      results.push(compare(mine, other, version));
    } else {
      missing.push(name);
    }
  }
  return { results, missing };
}

const nameOf = ({ name }: Result): string => name;
const named =
  (name: string) =>
  ({ results }: Report): readonly Result[] =>
    results.filter((each) => each.name === name).slice(0, 1);

function compare(ours: readonly Result[], theirs: readonly Result[], version: string): Result {
  const { name, unit } = ours[0] as Result;
  const pairs = ours.map(({ value }, index) => ({
    value,
    rivalValue: (theirs[index] as Result).value,
  }));
  const missed = ours.find((each) => !each.ok && each.ratio === null);
  // What must never be, such as a lost write, must not be in any turn; and zeros have no ratio.
  if (missed || pairs.some(({ value, rivalValue }) => !(value > 0 && rivalValue > 0))) {
    return {
      ...alone({
        name,
        unit,
        value: missed?.value ?? median(pairs.map((pair) => pair.value)),
        rival: version,
        rivalValue: median(pairs.map((pair) => pair.rivalValue)),
      }),
      goal: ours[0]?.ratio === null ? (ours[0]?.goal ?? null) : null,
      ok: missed === undefined,
    };
  }
  const goal = ours[0]?.detail ? {} : goalFor(unit);
  return judged({ name, unit, rival: version, ...middlePair(pairs), ...goal });
}

function goalFor(unit: string): { readonly goal?: RatioGoal } {
  if (unit.endsWith('/s')) return { goal: WORSE.more };
  return LESS.has(unit) ? { goal: WORSE.less } : {};
}

/** Missed only where that is as good as certain: when all of a sure interval lies beyond the goal. */
function judged(figures: Parameters<typeof compared>[0]): Result {
  const { goal, interval } = figures;
  const result = compared(figures);
  if (goal === undefined || interval === undefined) return result;
  const met = 'atLeast' in goal ? interval.high >= goal.atLeast : interval.low <= goal.atMost;
  return { ...result, ok: met || interval.confidence < SURE };
}
