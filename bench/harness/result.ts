/** One figure, beside that of a rival where there is one, and what it was to be. */
export interface Result {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly rival: string | null;
  readonly rivalValue: number | null;
  /** `value` divided by `rivalValue`. */
  readonly ratio: number | null;
  /** Such as `>= 1.3x` for the ratio or `<= 100 ms` for the value; null where none is set. */
  readonly goal: string | null;
  /** Whether the goal is reached; true where none is set. */
  readonly ok: boolean;
}

/** What a ratio should be. */
export type RatioGoal = { readonly atLeast: number } | { readonly atMost: number };

interface Compared {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly rival: string;
  readonly rivalValue: number;
  readonly goal?: RatioGoal;
}

/** A figure judged by its ratio to a rival's of the same run. */
export function compared({ name, unit, value, rival, rivalValue, goal }: Compared): Result {
  const ratio = value / rivalValue;
  const common = { name, unit, value, rival, rivalValue, ratio };
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

/** A figure judged by itself. */
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
    goal: bounds.length === 0 ? null : bounds.join(', '),
    ok: value >= (atLeast ?? -Infinity) && value <= (atMost ?? Infinity),
  };
}
