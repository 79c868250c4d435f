import { alone, quantile } from '../harness/index.ts';
import type { Result } from '../harness/index.ts';
import type { Handover, Moved, Way } from './handover.ts';
import { latencyOf, wentWell } from './ledger.ts';
import type { Told } from './ledger.ts';
import { LAG_MS } from './naive.ts';
import type { Flipped } from './naive.ts';
import type { Performance } from './stage.ts';

const RIVAL = `naive flag flip, ${LAG_MS} ms lag`;
const WAYS = ['forward', 'back'] as const;

/** Both contestants' figures, with the goals of the handover. */
export function resultsOf(
  ours: Performance<Moved>,
  naive: Performance<Flipped>,
  wanted: number,
): readonly Result[] {
  return [...safety(ours, naive, wanted), ...speed(ours, naive)];
}

function safety(
  ours: Performance<Moved>,
  naive: Performance<Flipped>,
  wanted: number,
): readonly Result[] {
  const beside = (
    name: string,
    unit: string,
    value: (each: Performance<unknown>) => number,
    goal: { atMost?: number; atLeast?: number },
  ): Result =>
    alone({ name, unit, value: value(ours), rival: RIVAL, rivalValue: value(naive), ...goal });
  const handovers = ours.moved.handovers.length;
  return [
    alone({ name: 'handovers done', unit: 'handovers', value: handovers, atLeast: wanted }),
    beside('answered', 'requests/s', ({ perSecond }) => perSecond, {
      atLeast: 500,
    }),
    beside('failed requests', 'requests', ({ verdict }) => verdict.failed, { atMost: 0 }),
    beside('acknowledged writes lost', 'writes', ({ verdict }) => verdict.lostWrites, {
      atMost: 0,
    }),
    beside('writes with two effects', 'writes', ({ verdict }) => verdict.doubleEffects, {
      atMost: 0,
    }),
    beside('units of stock lost', 'units', ({ verdict }) => verdict.lostUnits, { atMost: 0 }),
  ];
}

function speed(ours: Performance<Moved>, naive: Performance<Flipped>): readonly Result[] {
  const { handovers, holds } = ours.moved;
  return [
    ...WAYS.flatMap((way) => {
      const these = handovers.filter((handover) => handover.way === way);
      const of = new Set(these.map(({ capability, epoch }) => `${capability} ${epoch}`));
      const held = holds
        .filter(({ capability, epoch }) => of.has(`${capability} ${epoch}`))
        .map(({ ms }) => ms);
      return [
        ...figures(`hold per write, ${way}`, held, { p99: 50, max: 250 }),
        ...figures(
          `hold to release, ${way}`,
          these.map(({ holdMs }) => holdMs),
          { median: 15 },
        ),
        alone({ name: `writes held, ${way}`, unit: 'writes', value: held.length }),
      ];
    }),
    ...WAYS.flatMap((way) => steps(handovers, way)),
    ...latency(ours.ledger, naive.ledger),
  ];
}

type Figure = 'median' | 'p99' | 'max';
const SHARES = { median: 0.5, p99: 0.99, max: 1 } as const;

function figures(
  name: string,
  values: readonly number[],
  goals: Partial<Record<Figure, number>>,
): readonly Result[] {
  const known = values.length === 0 ? [0] : values;
  return (Object.keys(SHARES) as Figure[]).map((figure) => {
    const atMost = goals[figure];
    const value = quantile(known, SHARES[figure]);
    return alone({
      name: `${name}, ${figure}`,
      unit: 'ms',
      value,
      ...(atMost === undefined ? {} : { atMost }),
    });
  });
}

/** Where a handover's time goes. */
function steps(handovers: readonly Handover[], way: Way): readonly Result[] {
  const byStep = new Map<string, number[]>();
  for (const handover of handovers.filter((each) => each.way === way)) {
    for (const { step, ms } of handover.steps) byStep.set(step, [...(byStep.get(step) ?? []), ms]);
  }
  return [...byStep].map(([step, ms]) =>
    alone({ name: `step ${step}, ${way}, median`, unit: 'ms', value: quantile(ms, 0.5) }),
  );
}

/** All writes since handovers count, from when they were due to their answer. */
function latency(ours: readonly Told[], naive: readonly Told[]): readonly Result[] {
  const of = (ledger: readonly Told[], share: number): number => {
    const writes = ledger.filter(({ kind }) => kind !== 'read');
    return quantile(writes.filter(wentWell).map(latencyOf), share);
  };
  return (Object.keys(SHARES) as Figure[]).map((figure) =>
    alone({
      name: `latency of all writes at the client, ${figure}`,
      unit: 'ms',
      value: of(ours, SHARES[figure]),
      rival: RIVAL,
      rivalValue: of(naive, SHARES[figure]),
    }),
  );
}
