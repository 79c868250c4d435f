import { setTimeout as delay } from 'node:timers/promises';
import { errorText, Problem } from '../../chassis/index.ts';
import { restOf } from '../replication/direction.ts';
import type { Keys } from '../ownership/fence-rows.ts';
import type { Gate } from '../ownership/handover/gate.ts';
import { refusalOf } from '../ownership/handover/gates.ts';
import type { HoldPrediction } from '../ownership/handover/prediction.ts';
import type { Flags } from '../../routing/index.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import { fencesIn, readFacts } from '../sides/facts.ts';
import type { Facts } from '../sides/facts.ts';
import { plural } from '../wording.ts';
import type { HandoverOutcome } from './handovers.ts';
import { cohortOf, cohortRefusal } from './cohort-request.ts';
import type { Cohort, CohortRequest } from './cohort-request.ts';
import type { LeaderContext } from './flag-reconciler.ts';
import type { OpenCapability } from './open-capability.ts';
import { gateRefused } from './refusals.ts';
import { ownerOf } from '../ownership/owner.ts';
import { predictionIn } from './gate-facts.ts';
import { turnFlag } from './turn-flag.ts';
import type { CapabilityController } from './capability-controller.ts';

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

type DoneAnswer = Extract<HandoverAnswer, { readonly outcome: 'done' }>;

/** Shows what a handover would do, and whether its gates hold; changes nothing. */
export async function planHandover(
  controller: CapabilityController,
  to: SideName,
  wish?: CohortRequest,
): Promise<HandoverPlan> {
  const { capability, flags, reconciler } = controller;
  return controller.act(async ({ opened, handovers }) => {
    await refuseUnfinished(capability, handovers);
    const facts = readFacts(opened.sides);
    const keys = wish ? (await askedCohort(opened, facts, to, wish, flags)).keys : null;
    return {
      outcome: 'planned' as const,
      capability,
      to,
      keys,
      gates: await reconciler.gates.judge(opened, facts, to, keys),
      steps: await handovers.plan(facts, to, keys),
      prediction: await predictionIn(facts, to),
    };
  });
}

/** @throws Problem `gate_refused` where single keys of the capability can't move */
async function askedCohort(
  opened: OpenCapability,
  facts: Facts,
  to: SideName,
  wish: CohortRequest,
  flags: Flags,
): Promise<Cohort> {
  const refusal = cohortRefusal(opened, to);
  if (refusal) throw gateRefused(opened.data.capability, refusal);
  return cohortOf(opened, facts, to, wish, flags);
}

/**
 * Moves ownership because somebody asks in person: looks at the gates, turns the flag, hands over.
 * @throws Problem `gate_refused`, `handover_aborted` and others, each with what to do next
 */
export async function handOver(
  controller: CapabilityController,
  to: SideName,
  { wish, withoutFlags = false }: HandoverOptions = {},
): Promise<HandoverAnswer> {
  const { capability, standing } = controller;
  if (standing.as === 'complete' && to === 'extracted') {
    return { outcome: 'already', capability, to, epoch: standing.epoch, keys: null };
  }
  const move = wish
    ? (context: LeaderContext) => moveKeys(controller, context, to, wish)
    : (context: LeaderContext) => moveAll(controller, context, to, withoutFlags);
  return controller
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
  controller: CapabilityController,
  context: LeaderContext,
  to: SideName,
  withoutFlags: boolean,
): Promise<HandoverAnswer> {
  const { capability, reconciler } = controller;
  const { opened } = context;
  const facts = readFacts(opened.sides);
  const fences = await fencesIn(facts);
  if (ownerOf(restOf(fences)) === to && !fences[otherSide(to)].anyOpen) {
    if (!withoutFlags) await turnFlag(controller, to);
    return { outcome: 'already', capability, to, epoch: fences[to].epoch, keys: null };
  }
  const refusal = refusalOf(await reconciler.gates.judge(opened, facts, to));
  if (refusal) throw gateRefused(capability, refusal);
  if (withoutFlags) return answerOf(opened, await reconciler.overrule(context, to));
  await turnFlag(controller, to);
  return answerOf(opened, await reconciler.handOver(context, to));
}

/** No flag asks for single keys: they are moved because somebody says so, once. */
async function moveKeys(
  { capability, flags, reconciler }: CapabilityController,
  { opened, handovers }: LeaderContext,
  to: SideName,
  wish: CohortRequest,
): Promise<HandoverAnswer> {
  const facts = readFacts(opened.sides);
  const { keys } = await askedCohort(opened, facts, to, wish, flags);
  if (keys.length === 0) {
    const { epoch } = await facts[to].fences();
    return { outcome: 'already', capability, to, epoch, keys };
  }
  const refusal = refusalOf(await reconciler.gates.judge(opened, facts, to, keys));
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
