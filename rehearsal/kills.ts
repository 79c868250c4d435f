import { createRandom } from './random.ts';

export const VICTIMS = [
  'monolith',
  'inventory',
  'payment',
  'engine',
  'facade',
  'provider',
  'redis',
] as const;
export type Victim = (typeof VICTIMS)[number];

/** Who is killed, and at which share of the orders or how long into which stage. */
export interface PlannedKill {
  readonly victim: Victim;
  readonly stage: number;
  /** ms after the stage began. */
  readonly afterMs: number;
}

/** Chooses a victim and a moment for most stages; the same seed chooses the same. */
export function planKills(seed: number, stages: number): PlannedKill[] {
  const random = createRandom(seed);
  const order = [...VICTIMS].sort(() => random.next() - 0.5);
  return Array.from({ length: stages }, (_unused, stage) => stage)
    .filter(() => random.next() < 0.6)
    .map((stage, index) => ({
      victim: order[index % order.length] ?? 'monolith',
      stage,
      afterMs: random.between(0, 600),
    }));
}

/** An interval in which a process was away: from its kill until it was ready again. */
export interface Outage {
  readonly process: string;
  readonly from: number;
  readonly to: number;
}

interface Failure {
  readonly what: string;
  readonly from: number;
  readonly to: number;
}

/**
 * Which processes a request needs. An order goes through the monolith to both capabilities and
 * the card; engine and Redis are needed by no request.
 */
export function neededBy(what: string): readonly string[] {
  const path = what.split(' ')[1] ?? '';
  if (path.startsWith('/api/inventory')) return ['facade', 'monolith', 'inventory'];
  if (path.startsWith('/api/payments')) return ['facade', 'monolith', 'payment', 'provider'];
  if (what.startsWith('POST /api/orders') || path.includes('/details')) {
    return ['facade', 'monolith', 'inventory', 'payment', 'provider'];
  }
  return ['facade', 'monolith'];
}

/** The outage that explains a failed request: it needed the process while that was away. */
export function explainedBy(failure: Failure, outages: readonly Outage[]): Outage | undefined {
  const needed = neededBy(failure.what);
  return outages.find(
    ({ process, from, to }) => needed.includes(process) && failure.from <= to && failure.to >= from,
  );
}
