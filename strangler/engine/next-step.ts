import type { NextStep } from '../../chassis/cli/index.ts';
import type { CapabilityStatus } from './status.ts';

export type { NextStep } from '../../chassis/cli/index.ts';

const FRESH_MS = 10 * 60_000;
/** While there is a copy, and it is being decided whether it is good enough. */
const DECIDING: ReadonlySet<CapabilityStatus['stage']> = new Set([
  'replicating',
  'shadowing',
  'reading',
]);

export function step(command: string, reason: string): NextStep {
  return { command, reason };
}

/** The commands that take a capability one step on, by the playbook; the likeliest first. */
export function nextSteps(status: CapabilityStatus): readonly NextStep[] {
  const { capability, stage, parked, demand, reconcile } = status;
  if (stage === 'alarm') {
    return [step(`fig doctor ${capability}`, 'there is not exactly one owner')];
  }
  if (demand !== null) return [step(`fig reconcile ${capability}`, demand.reason)];
  if (parked !== null) {
    return [step(`fig parked list ${capability}`, 'changes could not be applied')];
  }
  if (DECIDING.has(stage) && reconcile?.clean === false) {
    return [step(`fig reconcile ${capability}`, 'the last comparison found differences')];
  }
  switch (stage) {
    case 'legacy':
      return [step(`fig backfill ${capability}`, 'the other side has no copy yet')];
    case 'backfilling':
      return [step('fig status -w', 'the copy is under way')];
    case 'moving':
      return [step('fig status -w', 'a handover is under way')];
    case 'replicating':
      return [step(`fig shadow ${capability} 100`, 'no answers are compared yet')];
    case 'shadowing':
      return [step(`fig ramp ${capability} 10`, 'no reads go to the other side yet')];
    case 'reading':
      return [whileReading(status)];
    case 'switched':
      return [step(`fig reverse ${capability}`, 'the way back')];
    case 'completing':
      return [step('fig status -w', 'its last step is under way')];
    default:
      return [];
  }
}

function whileReading({ capability, shares, reconcile }: CapabilityStatus): NextStep {
  const share = shares?.reads ?? 0;
  const wider = [10, 50, 100].find((one) => one > share);
  if (wider !== undefined) {
    return step(`fig ramp ${capability} ${wider}`, `${share} % of the reads are there`);
  }
  const fresh = reconcile?.clean === true && reconcile.ageMs < FRESH_MS;
  return fresh
    ? step(`fig switch ${capability}`, 'all reads are there, and both sides are equal')
    : step(`fig reconcile ${capability}`, 'all reads are there; a switch wants a fresh comparison');
}
