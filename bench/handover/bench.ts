import { alone, compared, details, median, quantile } from '../harness/index.ts';
import type { Result } from '../harness/index.ts';
import { CAPABILITIES } from './handover.ts';
import type { Handover, Moved, Way } from './handover.ts';
import { latencyOf, wentWell } from './ledger.ts';
import type { RecordedRequest } from './ledger.ts';
import { LAG_MS } from './naive.ts';
import type { Flipped } from './naive.ts';
import type { Performance } from './perform.ts';

const RIVAL = `naive flag flip, ${LAG_MS} ms lag`;
const WAYS = ['forward', 'back'] as const;
/** Which of the clients' writes a capability takes. */
const WRITES = { inventory: 'adjustment', payment: 'payment' } as const;

/** Both contestants' figures, with the goals of the handover. */
export function resultsOf(
  ours: Performance<Moved>,
  naive: Performance<Flipped> | undefined,
  wanted: number,
): readonly Result[] {
  return [
    ...safety(ours, naive, wanted),
    ...CAPABILITIES.flatMap((capability) => pauses(ours, capability)),
    ...details(WAYS.flatMap((way) => information(ours.moved, way))),
    ...latency(ours, naive),
    ...processor(ours, naive),
  ];
}

function safety(
  ours: Performance<Moved>,
  naive: Performance<Flipped> | undefined,
  wanted: number,
): readonly Result[] {
  const none = (
    name: string,
    unit: string,
    value: (each: Performance<unknown>) => number,
  ): Result =>
    alone({
      name,
      unit,
      value: value(ours),
      ...(naive ? { rival: RIVAL, rivalValue: value(naive) } : {}),
      atMost: 0,
    });
  const handovers = ours.moved.handovers.length;
  return [
    alone({ name: 'handovers done', unit: 'handovers', value: handovers, atLeast: wanted }),
    alone({ name: 'handovers asked for again', unit: 'handovers', value: ours.moved.again }),
    compared({
      name: 'requests answered',
      unit: 'requests/s',
      value: ours.perSecond,
      rival: 'sent',
      rivalValue: ours.load,
      // What is answered late at the end is not in it.
      goal: { atLeast: 0.98 },
    }),
    none('failed requests', 'requests', ({ verdict }) => verdict.failed),
    none('acknowledged writes lost', 'writes', ({ verdict }) => verdict.lostWrites),
    none('writes with two effects', 'writes', ({ verdict }) => verdict.doubleEffects),
    none('units of stock lost', 'units', ({ verdict }) => verdict.lostUnits),
  ];
}

/** How long writes were paused, in multiples of how long the same writes take while nothing moves. */
export function pauses(
  { moved, quiet }: Pick<Performance<Moved>, 'moved' | 'quiet'>,
  capability: (typeof CAPABILITIES)[number],
): readonly Result[] {
  const handovers = moved.handovers.filter((each) => each.capability === capability);
  const paused = pausedBy(handovers, moved);
  const calm = quiet
    .filter((told) => told.kind === WRITES[capability] && wentWell(told))
    .map(latencyOf);
  return [
    compared({
      name: `pause of a paused ${capability} write, p99`,
      unit: 'ms',
      value: quantileOr0(paused, 0.99),
      rival: 'p99 of such a write while nothing moves',
      rivalValue: quantile(calm, 0.99),
      goal: { atMost: 3 },
    }),
    compared({
      name: `hold to release of ${capability}, median`,
      unit: 'ms',
      value: median(handovers.map(({ holdMs }) => holdMs)),
      rival: 'median such write while nothing moves',
      rivalValue: median(calm),
      goal: { atMost: 2 },
    }),
    alone({ name: `${capability} writes paused`, unit: 'writes', value: paused.length }),
  ];
}

function pausedBy(handovers: readonly Handover[], { holds }: Moved): readonly number[] {
  const of = new Set(handovers.map(({ capability, epoch }) => `${capability} ${epoch}`));
  return holds
    .filter(({ capability, epoch }) => of.has(`${capability} ${epoch}`))
    .map(({ ms }) => ms);
}

/** No write paused is no pause. */
function quantileOr0(values: readonly number[], share: number): number {
  return values.length === 0 ? 0 : quantile(values, share);
}

type Figure = 'median' | 'p99' | 'max';
const SHARES = { median: 0.5, p99: 0.99, max: 1 } as const;
const FIGURES = Object.keys(SHARES) as Figure[];

/** Absolute figures of this machine, by the way that ownership moved. */
function information(moved: Moved, way: Way): readonly Result[] {
  const these = moved.handovers.filter((handover) => handover.way === way);
  const paused = pausedBy(these, moved);
  const holds = these.map(({ holdMs }) => holdMs);
  const figures = (name: string, values: readonly number[]): readonly Result[] =>
    FIGURES.map((figure) =>
      alone({
        name: `${name}, ${way}, ${figure}`,
        unit: 'ms',
        value: quantileOr0(values, SHARES[figure]),
      }),
    );
  return [
    ...figures('pause of a paused write', paused),
    ...figures('hold to release', holds),
    ...steps(these, way),
  ];
}

/** Where a handover's time goes. */
function steps(handovers: readonly Handover[], way: Way): readonly Result[] {
  const byStep = new Map<string, number[]>();
  for (const { step, ms } of handovers.flatMap((handover) => handover.steps)) {
    byStep.set(step, [...(byStep.get(step) ?? []), ms]);
  }
  return [...byStep].map(([step, ms]) =>
    alone({ name: `step ${step}, ${way}, median`, unit: 'ms', value: median(ms) }),
  );
}

/** Writes at the client, from when they were due to their answer. */
function latency(
  ours: Performance<Moved>,
  naive: Performance<Flipped> | undefined,
): readonly Result[] {
  const of = (ledger: readonly RecordedRequest[], share: number): number => {
    const writes = ledger.filter((told) => told.kind !== 'read' && wentWell(told));
    return quantileOr0(writes.map(latencyOf), share);
  };
  const moving = ours.ledger.filter(({ dueAt, doneAt }) =>
    ours.moved.handovers.some(({ from, to }) => dueAt < to && doneAt > from),
  );
  return [
    ...FIGURES.map((figure) =>
      compared({
        name: `any write during a handover, at the client, ${figure}`,
        unit: 'ms',
        value: of(moving, SHARES[figure]),
        rival: 'while nothing moves',
        rivalValue: of(ours.quiet, SHARES[figure]),
      }),
    ),
    ...FIGURES.map((figure) =>
      compared({
        name: `any write, at the client, ${figure}`,
        unit: 'ms',
        value: of(ours.ledger, SHARES[figure]),
        rival: RIVAL,
        ...(naive ? { rivalValue: of(naive.ledger, SHARES[figure]) } : {}),
      }),
    ),
  ];
}

/** Where the processor goes; the clients are not part of the system. */
function processor(
  ours: Performance<Moved>,
  naive: Performance<Flipped> | undefined,
): readonly Result[] {
  if (ours.processorMs.size === 0) return [];
  const unit = 'ms/request';
  const system = (each: ReadonlyMap<string, number>): number =>
    [...each].reduce((sum, [name, ms]) => (name === 'clients' ? sum : sum + ms), 0);
  const beside = (rivalValue: number | undefined): { rivalValue?: number } =>
    rivalValue === undefined || rivalValue === 0 ? {} : { rivalValue };
  return [
    ...[...ours.processorMs].map(([name, value]) =>
      compared({
        name: `processor per request, ${name}`,
        unit,
        value,
        rival: RIVAL,
        ...beside(naive?.processorMs.get(name)),
      }),
    ),
    compared({
      name: 'processor per request, all of the system',
      unit,
      value: system(ours.processorMs),
      rival: RIVAL,
      ...beside(naive && system(naive.processorMs)),
    }),
    alone({
      name: 'processor of all of the system',
      unit: '% of a core',
      value: (system(ours.processorMs) * ours.perSecond) / 10,
    }),
  ];
}
