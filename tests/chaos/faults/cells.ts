import type { Route } from './clients.ts';
import { FAULTS } from './fault-proxy.ts';
import type { Fault } from './fault-proxy.ts';
import { TARGETS } from './faulty-shop.ts';
import type { Target } from './faulty-shop.ts';

/** How far inventory and payment have moved. */
export const STAGES = ['legacy', 'shadow', 'ramp', 'moved'] as const;
export type Stage = (typeof STAGES)[number];

/** One fault of one target while the capabilities are in one stage. */
export interface Cell {
  readonly fault: Fault;
  readonly target: Target;
  readonly stage: Stage;
}

/** Stage after stage, since a system goes through them once. */
export function cellsOf(
  stages: readonly Stage[],
  targets: readonly Target[],
  faults: readonly Fault[],
): Cell[] {
  return stages.flatMap((stage) =>
    targets.flatMap((target) => faults.map((fault) => ({ fault, target, stage }))),
  );
}

/** Each fault with each target, in a stage that changes from one to the next. */
export function aFourthOfAll(): Cell[] {
  return cellsOf(STAGES, TARGETS, FAULTS).filter(
    ({ fault, target, stage }) =>
      (FAULTS.indexOf(fault) + TARGETS.indexOf(target)) % STAGES.length === STAGES.indexOf(stage),
  );
}

/** What a route has to do with a target: it goes there, it goes there but may go elsewhere, or nothing. */
export type Dependence = 'goes there' | 'falls back' | 'none';

export function dependenceOf(route: Route, { target, stage }: Omit<Cell, 'fault'>): Dependence {
  if (target === 'Redis' || target === 'JWKS') return 'none';
  if (route === 'orders') return target === 'monolith' ? 'goes there' : 'none';
  if (route === 'strange token') return 'none';
  const service = route.startsWith('stock') ? 'inventory' : 'payment';
  const isWrite = route.endsWith('write');
  if (stage === 'moved') return target === service ? 'goes there' : 'none';
  if (target === 'monolith') return 'goes there';
  // A customer whose write is not there yet reads from the monolith; the others from the service.
  return stage === 'ramp' && !isWrite && target === service ? 'falls back' : 'none';
}
