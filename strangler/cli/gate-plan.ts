import type { Gate } from '../ownership/handover/gate.ts';
import { refusalOf } from '../ownership/handover/gates.ts';
import { CommandError, EXIT } from '../../chassis/cli/index.ts';
import type { Output } from '../../chassis/cli/index.ts';
import { gatesText } from './gates-text.ts';
import { step } from '../engine/next-step.ts';

interface GatePlan<Name extends string> {
  readonly gates: readonly Gate<Name>[];
}

/**
 * Shows what a command would do, and how all of its gates stand.
 * @param lines what comes before the gates
 * @param command the command itself, for when they hold
 * @throws CommandError with exit code 3 when a gate would refuse it
 */
export function showGatePlan<Name extends string>(
  output: Output,
  plan: GatePlan<Name>,
  { lines, command }: { readonly lines: readonly string[]; readonly command: string },
): void {
  const { gates } = plan;
  const refusal = refusalOf(gates);
  const mends = gates.flatMap((gate) =>
    gate.ok || gate.next === null ? [] : [step(gate.next, gate.reason)],
  );
  const verdict = refusal
    ? `gate "${refusal.gate}" would refuse it: ${refusal.reason}`
    : 'all gates hold';
  output.result(
    plan,
    () => [...lines, gatesText(gates, output.paint), verdict].join('\n'),
    refusal ? mends : [step(command, 'all gates hold')],
  );
  if (refusal) throw new CommandError(EXIT.refused, 'gate_refused', refusal.reason, refusal.next);
}
