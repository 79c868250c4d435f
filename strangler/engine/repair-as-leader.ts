import { errorText, Problem } from '../../chassis/index.ts';
import { NothingToDecide, repair, trust } from '../doctor/index.ts';
import type { Decision, RepairJob, RepairReport } from '../doctor/index.ts';
import type { SideName } from '../../routing/side.ts';
import type { CapabilityController } from './capability-controller.ts';
import type { LeaderContext } from './flag-reconciler.ts';
import type { HandoverOutcome } from './handovers.ts';
import { turnFlag } from './turn-flag.ts';

/**
 * Mends what is safe to mend; with a decision, what a person has decided.
 * @throws Problem 503 where this engine does not lead, `nothing_to_repair` unless the doctor asks for a decision
 */
export async function repairCapability(
  controller: CapabilityController,
  decision: Decision | null,
): Promise<RepairReport> {
  const { capability, log, reconciler } = controller;
  const trusted = decision?.side ?? null;
  const mended = await controller.act(async (context) => {
    const outcome = await repairAsLeader(context, decision, (ended) => reconciler.resumed(ended));
    // What the flag asked for before is not done by itself any more.
    if (trusted !== null) reconciler.recallAgain();
    return outcome;
  });
  const report = trusted === null ? mended : await settleRequest(controller, mended, trusted);
  const { done, failed } = report;
  if (done.length > 0) log.warn({ capability, trusted, done, failed }, 'repaired');
  return report;
}

/** The flag asks for what is, where it can be set; where not, it is not heard until it is turned. */
async function settleRequest(
  controller: CapabilityController,
  report: RepairReport,
  owner: SideName,
): Promise<RepairReport> {
  const flag = `${controller.capability}.writes`;
  const value = owner === 'extracted' ? 'on' : 'off';
  const said = await turnFlag(controller, owner).then(
    () => `${flag} is ${value}, so that it asks for what is`,
    (error: unknown) =>
      `${flag} could not be set to ${value} (${errorText(error)}): what it asks for is not done until it is turned`,
  );
  return { ...report, done: [...report.done, said] };
}

/**
 * Mends a capability under the leases of whoever calls.
 * @param decision of a person; null: only what needs nobody's is done
 * @param onEnd told of a handover that came to its end
 */
export async function repairAsLeader(
  { opened, handovers, leases }: LeaderContext,
  decision: Decision | null,
  onEnd: (outcome: HandoverOutcome) => void,
): Promise<RepairReport> {
  const { legacy, extracted } = leases.held ?? {};
  if (!legacy || !extracted) throw new Error('the leases are lost');
  const job: RepairJob = {
    capability: opened.data.capability,
    mapping: opened.data.mapping,
    sides: opened.sides,
    leases: { legacy, extracted },
    async endHandover(record) {
      const outcome = await handovers.resume(record);
      onEnd(outcome);
      return ending(outcome);
    },
  };
  const report = decision === null ? await repair(job) : await decided(job, decision);
  await opened.data.ownerChanged().catch(() => undefined);
  return report;
}

/** @throws Problem `nothing_to_repair` unless the doctor asks for a decision */
async function decided(job: RepairJob, decision: Decision): Promise<RepairReport> {
  try {
    return await trust(job, decision);
  } catch (error) {
    if (!(error instanceof NothingToDecide)) throw error;
    const { capability } = job;
    const members = { capability, next: `fig doctor ${capability}` };
    throw new Problem(409, 'nothing_to_repair', error.message, { members });
  }
}

function ending({ outcome, reason, record }: HandoverOutcome): string {
  const { from, to, epoch } = record;
  if (outcome === 'done') return `the handover is finished: ${to} is the owner (epoch ${epoch})`;
  if (outcome === 'aborted') {
    return `the handover is taken back (${reason ?? 'no reason was recorded'}): ${from} stays the owner`;
  }
  throw new Error(`the handover can't be ended now: ${reason ?? outcome}`);
}
