import { createRandom } from '../../../rehearsal/index.ts';
import { figProcesses } from '../../../system/index.ts';
import type { ProcessDefinition } from '../../../system/index.ts';
import { CAPABILITIES } from '../base/rows.ts';
import type { Capability, SideName } from '../base/rows.ts';
import { planStrikes, strikeText } from '../base/strikes.ts';
import type { Strike } from '../base/strikes.ts';
import { MOMENTS } from './moment.ts';
import type { Moment } from './moment.ts';

/** One handover, and what is done to the system meanwhile. */
export interface PlannedHandover {
  readonly capability: Capability;
  readonly to: SideName;
  /** How far the handover has to have come for the strike's time to begin. */
  readonly at: Moment;
  readonly strike: Strike;
}

const SECOND_FACADE = 'facade2';
export const FACADES = ['facade', SECOND_FACADE] as const;

/** Everything of the system, and a second facade beside the first. */
export const PROCESSES: readonly ProcessDefinition[] = figProcesses.flatMap((definition) =>
  definition.name === 'facade'
    ? [{ ...definition, name: SECOND_FACADE, urlVariable: 'SECOND_FACADE_URL' }, definition]
    : [definition],
);

/** Whoever takes part in a handover twice as often as the rest. */
const VICTIMS = [
  'engine',
  'engine',
  'engine',
  'facade',
  'facade2',
  'monolith',
  'monolith',
  'inventory',
  'payment',
  'redis',
  'provider',
] as const;

const HANDOVERS = 6;
/** Steps take about so long, in ms. */
const WITHIN_MS = 5;

/** The same seed plans the same: each capability is handed over, back, and over again. */
export function planHandovers(seed: number, count = HANDOVERS): readonly PlannedHandover[] {
  const random = createRandom(seed);
  const first = random.between(0, 1);
  const strikes = planStrikes(random, {
    count,
    victims: VICTIMS,
    withinMs: WITHIN_MS,
  });
  return strikes.map((strike, index) => ({
    capability: CAPABILITIES[(first + index) % 2] ?? 'inventory',
    to: index % 4 < 2 ? 'extracted' : 'legacy',
    at: random.pick(MOMENTS),
    strike,
  }));
}

export function planText(plan: readonly PlannedHandover[]): string {
  return plan
    .map(({ capability, to, at, strike }) => {
      const verb = to === 'extracted' ? 'switch' : 'reverse';
      return `${verb} ${capability}, when ${at} ${strikeText(strike)}`;
    })
    .join('; ');
}
