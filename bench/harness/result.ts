import type { Interval } from './interval.ts';
import type { Beside } from './rounds.ts';

/** One figure, beside that of a rival where there is one, and what it was to be. */
export interface Result {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly rival: string | null;
  readonly rivalValue: number | null;
  /** `value` divided by `rivalValue`. */
  readonly ratio: number | null;
  /** For the median of the ratios of many rounds; null where there was but one. */
  readonly interval: Interval | null;
  /** Such as `>= 1.3x` for the ratio or `<= 0 writes` for the value; null where none is set. */
  readonly goal: string | null;
  /** Whether the goal is reached; true where none is set. */
  readonly ok: boolean;
  /** There where a figure only explains others: two builds are not judged by it. */
  readonly detail?: true;
}

/** What a ratio should be. */
export type RatioGoal = { readonly atLeast: number } | { readonly atMost: number };

interface Compared extends Beside {
  readonly name: string;
  readonly unit: string;
  readonly rival: string;
  readonly goal?: RatioGoal;
}

/**
 * A figure judged by its ratio to another one of the same run, so that a goal for it holds on every
 * machine; without that other one, information.
 */
export function compared({ name, unit, value, rivalValue, ...rest }: Compared): Result {
  if (rivalValue === undefined) return alone({ name, unit, value });
  const { rival, interval = null, goal } = rest;
  const ratio = value / rivalValue;
  const common = { name, unit, value, rival, rivalValue, ratio, interval };
  if (goal === undefined) return { ...common, goal: null, ok: true };
  return 'atLeast' in goal
    ? { ...common, goal: `>= ${goal.atLeast}x`, ok: ratio >= goal.atLeast }
    : { ...common, goal: `<= ${goal.atMost}x`, ok: ratio <= goal.atMost };
}

interface Alone {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** Whose figure is shown beside it; the goal is the value's own all the same. */
  readonly rival?: string;
  readonly rivalValue?: number;
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** A figure for information, or one whose goal is the same on every machine, such as no lost write. */
export function alone({ name, unit, value, rival, rivalValue, atMost, atLeast }: Alone): Result {
  const bounds = [
    ...(atLeast === undefined ? [] : [`>= ${atLeast} ${unit}`]),
    ...(atMost === undefined ? [] : [`<= ${atMost} ${unit}`]),
  ];
  return {
    name,
    unit,
    value,
    rival: rival ?? null,
    rivalValue: rivalValue ?? null,
    ratio: null,
    interval: null,
    goal: bounds.length === 0 ? null : bounds.join(', '),
    ok: value >= (atLeast ?? -Infinity) && value <= (atMost ?? Infinity),
  };
}

/** Marks figures that only explain others: of very many, some would differ by chance. */
export function details(results: readonly Result[]): readonly Result[] {
  return results.map((result) => ({ ...result, detail: true }));
}
