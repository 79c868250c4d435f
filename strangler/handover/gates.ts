import type { Fence } from '../../chassis/index.ts';
import type { SideName } from '../side.ts';
import { otherSide } from '../side.ts';

/** Whether a handover may begin. A refusal says why, and which command helps. */
export type Gate =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly gate: GateName;
      readonly reason: string;
      /** The next command for the operator; null when there is nothing to do but to wait. */
      readonly next: string | null;
    };

export type GateName =
  'reachable' | 'fences' | 'mapping' | 'backfill' | 'broken' | 'parked' | 'lag' | 'reconcile';

export interface Lag {
  /** Changes in the owner's feed that the other side has not applied. */
  readonly changes: number;
  /** Age of the oldest of them, in ms; 0 when there is none. */
  readonly ms: number;
}

/** What the gates look at, for a handover of `capability` to the side `to`. */
export interface GateFacts {
  readonly capability: string;
  readonly to: SideName;
  /** Why a database can't be read; null when both can. */
  readonly trouble: string | null;
  readonly source: Fence;
  readonly target: Fence;
  /** Whether both sides were installed with the mapping this engine runs. */
  readonly mappingCurrent: boolean;
  readonly backfilled: boolean;
  /** Why applying has stopped; null when it has not. */
  readonly broken: string | null;
  /** Changes that the target could not take, or that wait behind such a one. */
  readonly parked: number;
  readonly lag: Lag;
  readonly reconcile: { readonly at: number; readonly clean: boolean } | null;
  readonly now: number;
}

export interface GateLimits {
  readonly lagChanges: number;
  readonly lagMs: number;
  readonly reconcileAgeMs: number;
}

export const defaultGateLimits: GateLimits = {
  lagChanges: 1_000,
  lagMs: 1_000,
  reconcileAgeMs: 10 * 60_000,
};

const open: Gate = { ok: true };

function refuse(gate: GateName, reason: string, next: string | null = null): Gate {
  return { ok: false, gate, reason, next };
}

/** Looks at every gate, in the order in which an operator can do something about them. */
export function checkGates(facts: GateFacts, limits = defaultGateLimits): Gate {
  for (const gate of gates) {
    const result = gate(facts, limits);
    if (!result.ok) return result;
  }
  return open;
}

const gates: readonly ((facts: GateFacts, limits: GateLimits) => Gate)[] = [
  ({ trouble }) => (trouble === null ? open : refuse('reachable', trouble, 'fig status')),
  ({ capability, source, target, to }) => {
    if (source.state === 'open' && target.state !== 'open') return open;
    const states = `${otherSide(to)} is ${source.state} (${source.epoch}), ${to} is ${target.state} (${target.epoch})`;
    return refuse(
      'fences',
      `${otherSide(to)} has to be the only owner: ${states}`,
      journal(capability),
    );
  },
  ({ mappingCurrent }) =>
    mappingCurrent
      ? open
      : refuse('mapping', 'the mapping differs from the one the databases were prepared with'),
  ({ backfilled, capability, to }) =>
    backfilled
      ? open
      : refuse('backfill', `${to} has no complete copy of the data`, `fig backfill ${capability}`),
  ({ broken }) =>
    broken === null ? open : refuse('broken', `changes can't be applied: ${broken}`, 'fig status'),
  ({ parked, capability, to }) =>
    parked === 0
      ? open
      : refuse(
          'parked',
          `${to} could not take changes that are parked there (${parked})`,
          `fig parked list ${capability}`,
        ),
  ({ lag, to }, { lagChanges, lagMs }) =>
    lag.changes <= lagChanges && lag.ms <= lagMs
      ? open
      : refuse(
          'lag',
          `${to} is ${lag.changes} changes (${Math.round(lag.ms)} ms) behind; ` +
            `the limits are ${lagChanges} changes and ${lagMs} ms`,
          'fig status -w',
        ),
  ({ reconcile, capability, now }, { reconcileAgeMs }) => {
    const next = `fig reconcile ${capability}`;
    if (!reconcile) return refuse('reconcile', 'the sides have never been compared', next);
    if (!reconcile.clean) return refuse('reconcile', 'the last comparison found differences', next);
    if (now - reconcile.at <= reconcileAgeMs) return open;
    const age = `${Math.round((now - reconcile.at) / 60_000)} min`;
    const limit = `${Math.round(reconcileAgeMs / 60_000)} min`;
    return refuse('reconcile', `the last comparison is ${age} old; the limit is ${limit}`, next);
  },
];

function journal(capability: string): string {
  return `fig journal ${capability}`;
}
