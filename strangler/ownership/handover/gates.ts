import type { Fence } from '../../../chassis/index.ts';
import type { SideName } from '../../../routing/side.ts';
import { otherSide } from '../../../routing/side.ts';
import type { Lag } from './lag.ts';
import type { HoldPrediction } from './prediction.ts';
import { ago, refuse } from './gate.ts';
import type { Gate, GateName, Judgement, Refusal } from './gate.ts';
import { judgeContract, judgeInvariants, judgeWayBack } from './proofs.ts';
import type { ContractFact, InvariantReading, Proof } from './proofs.ts';

/** Somebody, or something, wants both sides compared as a whole before ownership moves again. */
export interface Demand {
  readonly reason: string;
  /** ms since 1970. */
  readonly at: number;
}

/** Writes that bypassed the application while they were watched. */
export interface Trespass {
  readonly writes: number;
  /** ms since 1970, as are the following. */
  readonly since: number;
  readonly newest: number | null;
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
  /** How the schemas of both sides differ from what they were installed on, one text each. */
  readonly drift: readonly string[];
  readonly backfilled: boolean;
  /** Why applying has stopped; null when it has not. */
  readonly broken: string | null;
  /** Changes that the target could not take, or that wait behind such a one. */
  readonly parked: number;
  readonly lag: Lag;
  readonly prediction: HoldPrediction;
  /** Why the facades can't be asked to let writes finish first; null where they can, or need not. */
  readonly drain: string | null;
  /** That no clean comparison has met, which began after it. */
  readonly demand: Demand | null;
  readonly reconcile: {
    readonly at: number;
    readonly clean: boolean;
  } | null;
  /** Whether what both sides answer was compared; null where there is no such comparison. */
  readonly contract: ContractFact | null;
  /** Generated ids of the target that would be given out a second time, one text each. */
  readonly lateSequences: readonly string[];
  /** Null when they were not read. */
  readonly invariants: Proof<readonly InvariantReading[]>;
  /** Why there would be no way back; null when there is one. */
  readonly wayBack: Proof<string | null>;
  readonly trespass: Trespass | null;
  readonly now: number;
}

export interface GateLimits {
  readonly lagChanges: number;
  readonly lagMs: number;
  readonly reconcileAgeMs: number;
  /** For how long a handover may be expected to hold writes, in ms: less than facades hold them. */
  readonly holdMs: number;
}

export const defaultGateLimits: GateLimits = {
  lagChanges: 1_000,
  lagMs: 1_000,
  reconcileAgeMs: 10 * 60_000,
  holdMs: 5_000,
};

/**
 * Judges every gate, in the order in which an operator can do something about them. Without both
 * databases nothing but that can be said.
 */
export function judgeGates(facts: GateFacts, limits = defaultGateLimits): readonly Gate[] {
  const judged = GATES.map(([gate, judge]): Gate => ({ gate, ...judge(facts, limits) }));
  return facts.trouble === null ? judged : judged.slice(0, 1);
}

/** The first gate that refuses; undefined when a handover may begin. */
export function refusalOf<Name extends string>(
  gates: readonly Gate<Name>[],
): Refusal<Name> | undefined {
  return gates.find((gate): gate is Refusal<Name> => !gate.ok);
}

type Judge = (facts: GateFacts, limits: GateLimits) => Judgement;

const open: Judgement = { ok: true, note: null };

const GATES: readonly (readonly [GateName, Judge])[] = [
  ['reachable', ({ trouble }) => (trouble === null ? open : refuse(trouble, 'fig status'))],
  ['fences', judgeFences],
  [
    'mapping',
    ({ mappingCurrent }) =>
      mappingCurrent
        ? open
        : refuse('the mapping differs from the one the databases were prepared with'),
  ],
  [
    'schema',
    ({ drift, capability }) =>
      drift.length === 0 ? open : refuse(drift.join('; '), `fig check ${capability} --accept`),
  ],
  [
    'backfill',
    ({ backfilled, capability, to }) =>
      backfilled
        ? open
        : refuse(`${to} has no complete copy of the data`, `fig backfill ${capability}`),
  ],
  [
    'broken',
    ({ broken }) =>
      broken === null ? open : refuse(`changes can't be applied: ${broken}`, 'fig status'),
  ],
  [
    'parked',
    ({ parked, capability, to }) =>
      parked === 0
        ? open
        : refuse(
            `${to} could not take changes that are parked there (${parked})`,
            `fig parked list ${capability}`,
          ),
  ],
  ['lag', judgeLag],
  [
    'hold',
    ({ prediction: { holdMs, from } }, limits) =>
      holdMs <= limits.holdMs
        ? open
        : refuse(
            `writes would be held for about ${holdMs} ms; the budget is ${limits.holdMs} ms: ${from}`,
            'fig status -w',
          ),
  ],
  ['drain', ({ drain }) => (drain === null ? open : refuse(drain, 'fig status'))],
  ['full_reconcile', judgeDemand],
  ['reconcile', judgeReconcile],
  ['contract', ({ contract }) => judgeContract(contract)],
  [
    'sequences',
    ({ lateSequences, capability }) =>
      lateSequences.length === 0
        ? open
        : refuse(lateSequences.join('; '), `fig reconcile ${capability}`),
  ],
  ['invariants', ({ invariants, capability }) => judgeInvariants(invariants, capability)],
  ['way_back', ({ wayBack, capability }) => judgeWayBack(wayBack, capability)],
  ['shadow_fence', judgeTrespass],
];

function judgeFences({ capability, source, target, to }: GateFacts): Judgement {
  if (source.state === 'open' && target.state !== 'open') return open;
  const states = `${otherSide(to)} is ${source.state} (${source.epoch}), ${to} is ${target.state} (${target.epoch})`;
  return refuse(
    `${otherSide(to)} has to be the only owner: ${states}`,
    `fig journal ${capability}`,
  );
}

function judgeLag({ lag, to }: GateFacts, { lagChanges, lagMs }: GateLimits): Judgement {
  if (lag.changes <= lagChanges && lag.ms <= lagMs) return open;
  const behind = `${lag.changes} changes (${Math.round(lag.ms)} ms) behind`;
  const limits = `the limits are ${lagChanges} changes and ${lagMs} ms`;
  return refuse(`${to} is ${behind}; ${limits}`, 'fig status -w');
}

/** A comparison that was under way when it was demanded has not seen what it was demanded for. */
function judgeDemand({ demand, capability }: GateFacts): Judgement {
  if (demand === null) return open;
  return refuse(
    `both sides have to be compared as a whole: ${demand.reason}`,
    `fig reconcile ${capability}`,
  );
}

function judgeReconcile(
  { reconcile, capability, now }: GateFacts,
  { reconcileAgeMs }: GateLimits,
): Judgement {
  const next = `fig reconcile ${capability}`;
  if (!reconcile) return refuse('the sides have never been compared', next);
  if (!reconcile.clean) return refuse('the last comparison found differences', next);
  if (now - reconcile.at <= reconcileAgeMs) return open;
  const age = `${Math.round((now - reconcile.at) / 60_000)} min`;
  const limit = `${Math.round(reconcileAgeMs / 60_000)} min`;
  return refuse(`the last comparison is ${age} old; the limit is ${limit}`, next);
}

/** Only a warning: the fence refuses a bypassing write with an error, so that it is not lost. */
function judgeTrespass({ trespass, capability, now }: GateFacts): Judgement {
  if (trespass === null || trespass.writes === 0) return open;
  const newest = trespass.newest === null ? '' : `, the newest ${ago(now - trespass.newest)} ago`;
  const note =
    `${trespass.writes} writes bypassed the application since ${new Date(trespass.since).toISOString()}` +
    `${newest}; they would fail after a handover: fig shadow-fence ${capability} report`;
  return { ok: true, note };
}
