import type { TrafficSample } from '../../facade/admin/index.ts';
import { SIDES } from '../status.ts';
import type { Side } from '../status.ts';

export interface SideSeries {
  readonly requests: readonly number[];
  readonly errors: readonly number[];
  readonly p50: readonly (number | null)[];
  readonly p99: readonly (number | null)[];
}

/** The last minutes of one capability, as charts want them. */
export interface Series {
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly sides: Readonly<Record<Side, SideSeries>>;
  readonly lagChanges: readonly (number | null)[];
  readonly lagMs: readonly (number | null)[];
  /** The tops of the scales, which both sides share. */
  readonly most: { readonly requests: number; readonly errors: number; readonly ms: number };
}

export function seriesOf(samples: readonly TrafficSample[], capability: string): Series {
  const sides = Object.fromEntries(
    SIDES.map((side) => [side, sideOf(samples, capability, side)]),
  ) as Record<Side, SideSeries>;
  const lags = samples.map(({ lag }) => lag.find(([name]) => name === capability));
  const most = (pick: (side: SideSeries) => readonly (number | null)[], least: number): number =>
    SIDES.reduce(
      (sum, side) =>
        pick(sides[side]).reduce<number>((top, value) => Math.max(top, value ?? 0), sum),
      least,
    ) * 1.1;
  return {
    times: samples.map(({ at }) => at / 1_000),
    sides,
    lagChanges: lags.map((lag) => lag?.[1] ?? null),
    lagMs: lags.map((lag) => lag?.[2] ?? null),
    most: {
      requests: most(({ requests }) => requests, 1),
      errors: most(({ errors }) => errors, 1),
      ms: most(({ p99 }) => p99, 5),
    },
  };
}

function sideOf(samples: readonly TrafficSample[], capability: string, side: Side): SideSeries {
  const rates = samples.map((sample) =>
    sample.rates.find(([name, answerer]) => name === capability && answerer === side),
  );
  return {
    requests: rates.map((one) => one?.[2] ?? 0),
    errors: rates.map((one) => one?.[3] ?? 0),
    p50: rates.map((one) => one?.[4] ?? null),
    p99: rates.map((one) => one?.[5] ?? null),
  };
}
