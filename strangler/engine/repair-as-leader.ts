import { Problem } from '../../chassis/index.ts';
import { repair } from '../doctor/repair.ts';
import type { RepairReport, RepairJob } from '../doctor/repair.ts';
import { NothingToDecide, trust } from '../doctor/trust.ts';
import type { Decision } from '../doctor/trust.ts';
import type { LeaderContext } from './flag-reconciler.ts';
import type { HandoverOutcome } from './handovers.ts';

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
