import { setTimeout as delay } from 'node:timers/promises';
import { errorText, Problem } from '../../chassis/index.ts';
import { restOf } from '../replication/direction.ts';
import type { Keys } from '../ownership/fence-rows.ts';
import type { Gate, Refusal } from '../ownership/handover/gate.ts';
import { refusalOf } from '../ownership/handover/gates.ts';
import type { HoldPrediction } from '../ownership/handover/prediction.ts';
import { ForeignStrategies } from '../../routing/index.ts';
import type { Flags, FlagStore } from '../../routing/index.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import { readFacts } from '../sides/facts.ts';
import { plural } from '../wording.ts';
import type { HandoverOutcome } from './handovers.ts';
import { cohortOf, cohortRefusal } from './cohort-request.ts';
import type { Cohort, CohortRequest } from './cohort-request.ts';
import type { LeaderContext } from './flag-reconciler.ts';
import { allFencesOf } from './open-capability.ts';
import type { OpenCapability } from './open-capability.ts';
import { addressOf } from './leases.ts';
import { ownerOf } from './stage.ts';
import { predictionIn } from './gate-facts.ts';
import type { CapabilityController } from './capability-controller.ts';

const FLAG_MS = 3_000;
const WAY_BACK_MS = 2_000;
/** Keys that one handover moves at the most: what it does for each, their writers wait for. */
const KEYS_AT_ONCE = 500;
/** Between two of those, in ms: leases are to be renewed, and others have work to do, too. */
const KEYS_PAUSE_MS = 20;

interface Move {
  readonly capability: string;
  readonly to: SideName;
  readonly epoch: number;
  /** The keys that were moved by themselves; null: everything that the other side had owned. */
  readonly keys: Keys;
}

/** A handover asked for in person, once it is over. */
export type HandoverAnswer =
  | (Move & {
      readonly outcome: 'done';
      readonly id: string;
      /** Why what the new owner writes does not find its way back; null when it does. */
      readonly rollbackUnsafe: string | null;
    } & Pick<HandoverOutcome, 'holdMs' | 'steps'>)
  | (Move & { readonly outcome: 'already' });

export interface HandoverPlan {
  readonly outcome: 'planned';
  readonly capability: string;
  readonly to: SideName;
  readonly keys: Keys;
  /** All of them, in the order in which they are to be seen to. */
  readonly gates: readonly Gate[];
  readonly steps: readonly string[];
  readonly prediction: HoldPrediction;
}

/** The flags, and where to turn one; nowhere, if a server keeps them and won't be asked. */
export interface FlagAccess {
  readonly flags: Flags;
  readonly flagStore?: FlagStore | undefined;
}

type DoneAnswer = Extract<HandoverAnswer, { readonly outcome: 'done' }>;

/** Shows what a handover would do, and whether its gates hold; changes nothing. */
export async function planHandover(
  controller: CapabilityController,
  to: SideName,
  { flags }: Pick<FlagAccess, 'flags'>,
  wish?: CohortRequest,
): Promise<HandoverPlan> {
  const { capability, reconciler } = controller;
  const plan = await controller.act(async ({ opened, handovers }) => {
    await refuseUnfinished(capability, handovers);
    const keys = wish ? (await askedCohort(opened, to, wish, flags)).keys : null;
    const facts = readFacts(opened.sides);
    return {
      outcome: 'planned' as const,
      capability,
      to,
      keys,
      gates: await reconciler.gates.judge(opened, to, keys, facts),
      steps: await handovers.plan(to, keys),
      prediction: await predictionIn(facts, to),
    };
  });
  if (!plan) throw notLeading(controller);
  return plan;
}

/** @throws Problem `gate_refused` where single keys of the capability can't move */
async function askedCohort(
  opened: OpenCapability,
  to: SideName,
  wish: CohortRequest,
  flags: Flags,
): Promise<Cohort> {
  const refusal = cohortRefusal(opened, to);
  if (refusal) throw gateRefused(opened.data.capability, refusal);
  return cohortOf(opened, to, wish, flags);
}

/**
 * Moves ownership because somebody asks in person: looks at the gates, turns the flag, hands over.
 * @throws Problem `gate_refused`, `handover_aborted` and others, each with what to do next
 */
export async function handOver(
  controller: CapabilityController,
  to: SideName,
  access: FlagAccess,
  { wish, withoutFlags = false }: HandoverOptions = {},
): Promise<HandoverAnswer> {
  const { capability, standing } = controller;
  if (standing.as === 'complete' && to === 'extracted') {
    return { outcome: 'already', capability, to, epoch: standing.epoch, keys: null };
  }
  const move = wish
    ? (context: LeaderContext) => moveKeys(controller, context, to, wish, access)
    : (context: LeaderContext) => moveAll(controller, context, to, withoutFlags ? null : access);
  const answer = await controller
    .act(async (context) => {
      await refuseUnfinished(capability, context.handovers);
      return move(context);
    })
    .catch((error: unknown) => {
      if (error instanceof Problem) throw error;
      // A database went away in the middle of it; what came of it is in the journal.
      throw new Problem(503, 'handover_lost', errorText(error), {
        headers: { 'retry-after': '1' },
        members: { capability },
      });
    });
  if (!answer) throw notLeading(controller);
  return answer;
}

/** The gates would only say that ownership is between two sides; its own error says why. */
async function refuseUnfinished(
  capability: string,
  handovers: LeaderContext['handovers'],
): Promise<void> {
  const left = await handovers.unfinished();
  if (left) throw notDone(capability, handovers.inTheWay(left));
}

export interface HandoverOptions {
  readonly wish?: CohortRequest | undefined;
  /** Whether it is done whatever the flag asks for, and whether it can be read or not. */
  readonly withoutFlags?: boolean;
}

async function moveAll(
  { capability, reconciler }: CapabilityController,
  context: LeaderContext,
  to: SideName,
  access: FlagAccess | null,
): Promise<HandoverAnswer> {
  const { opened } = context;
  const fences = await allFencesOf(opened);
  if (ownerOf(restOf(fences)) === to && !fences[otherSide(to)].anyOpen) {
    if (access) await turnFlag(capability, to, access);
    return { outcome: 'already', capability, to, epoch: fences[to].epoch, keys: null };
  }
  const refusal = refusalOf(await reconciler.gates.judge(opened, to));
  if (refusal) throw gateRefused(capability, refusal);
  if (access === null) return answerOf(opened, await reconciler.overrule(context, to));
  await turnFlag(capability, to, access);
  return answerOf(opened, await reconciler.handOver(context, to));
}

/** No flag asks for single keys: they are moved because somebody says so, once. */
async function moveKeys(
  { capability, reconciler }: CapabilityController,
  { opened, handovers }: LeaderContext,
  to: SideName,
  wish: CohortRequest,
  { flags }: FlagAccess,
): Promise<HandoverAnswer> {
  const { keys } = await askedCohort(opened, to, wish, flags);
  if (keys.length === 0) {
    const { epoch } = (await allFencesOf(opened))[to];
    return { outcome: 'already', capability, to, epoch, keys };
  }
  const refusal = refusalOf(await reconciler.gates.judge(opened, to, keys));
  if (refusal) throw gateRefused(capability, refusal);
  // Each waits for its own handover only, so many keys go in several.
  let answer: DoneAnswer | undefined;
  for (let from = 0; from < keys.length; from += KEYS_AT_ONCE) {
    if (from > 0) await delay(KEYS_PAUSE_MS);
    const result = await handovers.begin(to, keys.slice(from, from + KEYS_AT_ONCE));
    if (result.outcome !== 'done') throw notDone(capability, result, from);
    const holdMs = Math.max(result.holdMs ?? 0, answer?.holdMs ?? 0);
    answer = { ...(await answerOf(opened, result)), keys, holdMs };
  }
  return answer as DoneAnswer;
}

async function answerOf(opened: OpenCapability, result: HandoverOutcome): Promise<DoneAnswer> {
  const { record, holdMs, steps, outcome } = result;
  const { id, epoch, to, capability, keys } = record;
  if (outcome !== 'done') throw notDone(capability, result);
  const rollbackUnsafe = await tryWayBack(opened);
  return { outcome, id, capability, to, epoch, keys, holdMs, steps, rollbackUnsafe };
}

/** Waits until the new owner's first changes reach the old owner. */
async function tryWayBack({ data }: OpenCapability): Promise<string | null> {
  try {
    await data.barrier(WAY_BACK_MS);
    return null;
  } catch (error) {
    return errorText(error);
  }
}

/** The flag has to ask for the same, or the engine would go back to what it asks for. */
export async function turnFlag(
  capability: string,
  to: SideName,
  { flags, flagStore }: FlagAccess,
): Promise<void> {
  const flag = `${capability}.writes`;
  const wanted = to === 'extracted';
  const verb = wanted ? 'switch' : 'reverse';
  const without = { next: `fig ${verb} ${capability} --without-flags` };
  if (flags.switch(flag).on === wanted) return;
  if (flagStore === undefined) {
    const detail =
      `${flag} is kept by ${flags.state().source}; turn it ${wanted ? 'on' : 'off'} there, or start the ` +
      'engine with UNLEASH_ADMIN_TOKEN';
    throw new Problem(409, 'flag_kept_elsewhere', detail, { members: { flag, ...without } });
  }
  await setFlag(flagStore, flag, wanted, without);
  const deadline = performance.now() + FLAG_MS;
  while (flags.switch(flag).on !== wanted) {
    if (performance.now() > deadline) {
      const why = flags.state().trouble?.reason ?? 'it was not read since';
      const detail = `${flag} was set, but is not in force yet: ${why}; nothing was moved`;
      throw new Problem(409, 'flag_not_seen', detail, { members: { flag, ...without } });
    }
    await delay(5);
  }
}

async function setFlag(
  store: FlagStore,
  flag: string,
  wanted: boolean,
  without: { readonly next: string },
): Promise<void> {
  try {
    await store.set({ [flag]: wanted ? 100 : 0 });
  } catch (error) {
    if (error instanceof ForeignStrategies) {
      const next = `fig flags set ${flag} ${wanted ? 'on' : 'off'} --overwrite`;
      const detail = `nothing was moved: ${error.message}`;
      throw new Problem(409, 'foreign_strategies', detail, { members: { flag, next } });
    }
    const detail = `${flag} could not be set, and nothing was moved: ${(error as Error).message}`;
    throw new Problem(502, 'flag_not_set', detail, { members: { flag, ...without } });
  }
}

/** The open capability that this engine leads. @throws Problem 503 when it does not */
export function leading(controller: CapabilityController): OpenCapability {
  const { opened, standing } = controller;
  if (!opened || standing.as !== 'leader') throw notLeading(controller);
  return opened;
}

/** What keeps rows from being read as the mapping says. */
const UNREADABLE = new Set(['no_table', 'no_column']);

/**
 * The open capability that this engine leads, if the tables and columns of its mapping exist.
 * @throws Problem 503 when it does not lead, `gate_refused` when one is missing
 */
export async function readableCapability(
  controller: CapabilityController,
): Promise<OpenCapability> {
  const opened = leading(controller);
  const { legacy, extracted } = opened.sides;
  const problems = [...(await legacy.problems()), ...(await extracted.problems())];
  const missing = problems.find(({ code }) => UNREADABLE.has(code));
  if (missing === undefined) return opened;
  const { capability } = controller;
  const next = `fig check ${capability}`;
  throw gateRefused(capability, { ok: false, gate: 'schema', reason: missing.message, next });
}

export function notLeading(controller: CapabilityController): Problem {
  const { capability, standing } = controller;
  if (standing.as === 'complete')
    return gateRefused(capability, completed(controller, standing.since));
  const why =
    standing.as === 'waiting'
      ? standing.reason
      : standing.as === 'standby'
        ? `the engine ${standing.leader ?? 'that led last'} has the lease and acts instead`
        : 'it has just let go of it';
  const unfit = standing.as === 'waiting' && standing.unfit === true;
  const detail = `${capability} can't be acted on here: ${why}`;
  const rest = {
    headers: { 'retry-after': '1' },
    members: {
      capability,
      standing: standing.as,
      ...(unfit ? { next: `fig check ${capability}` } : {}),
      ...(standing.as === 'standby' ? { leader: addressOf(standing.leader) } : {}),
    },
  };
  return unfit
    ? new Problem(503, 'mapping_unfit', detail, rest)
    : new Problem(503, 'engine_not_leading', detail, rest);
}

/** There is nothing more to do to it, and no way back but by hand. */
function completed({ capability, opened }: CapabilityController, since: number): Refusal<string> {
  const tables = opened?.sides.legacy.retirement.tables() ?? [];
  const renamed = tables.map(({ table, renamed: now }) => `${now} (${table})`).join(', ');
  const reason =
    `${capability} was completed at ${new Date(since).toISOString()}, and its way back closed. To go ` +
    `back, you would have to rename ${renamed}, bring what extracted has written since back ` +
    'into them, run fig uninstall --strand-data, and begin anew with extracted as the old side';
  return { ok: false, gate: 'complete', reason, next: null };
}

export function gateRefused(capability: string, refusal: Refusal<string>): Problem {
  const { gate: name, reason, next } = refusal;
  return new Problem(409, 'gate_refused', reason, {
    members: { capability, gate: name, reason, next },
  });
}

/** @param moved keys that were moved before it */
function notDone(
  capability: string,
  { outcome, reason, record, steps }: HandoverOutcome,
  moved = 0,
): Problem {
  const done = moved === 0 ? {} : { moved };
  const members = { capability, id: record.id, epoch: record.epoch, reason, steps, ...done };
  if (outcome === 'aborted') {
    const after = moved === 0 ? '' : `after ${plural(moved, 'key')} had moved, `;
    const detail = `${after}the handover was taken back: ${reason ?? 'no reason was recorded'}`;
    return new Problem(409, 'handover_aborted', detail, {
      members: { ...members, next: `fig journal ${capability}` },
    });
  }
  const next = `fig journal ${capability}`;
  return new Problem(503, `handover_${outcome}`, reason ?? 'see the journal', {
    headers: { 'retry-after': '1' },
    members: { ...members, next },
  });
}
