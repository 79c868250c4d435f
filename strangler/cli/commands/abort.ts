import type { Command } from 'commander';
import { DRY_RUN, patience, addCommand, REASON, YES } from '../add-command.ts';
import type { Run, Timed } from '../add-command.ts';
import { Problem } from '../../../chassis/index.ts';
import { abortable, LeaseHeldError, planAbort, takeBack } from '../../engine/index.ts';
import type { AbortAnswer, HandoverView } from '../../engine/index.ts';
import { inPlaceOfEngine, unanswered } from '../as-leader.ts';
import { declarationOf } from '../context.ts';
import type { Context } from '../context.ts';
import { CommandError, confirmed, EXIT, stepsText } from '../../../chassis/cli/index.ts';
import type { Output } from '../../../chassis/cli/index.ts';
import { EngineClient } from '../engine-client.ts';
import { step } from '../../engine/next-step.ts';
import type { NextStep } from '../../engine/next-step.ts';
import { findStatus } from '../read-status.ts';
import type { FoundStatus } from '../read-status.ts';

interface AbortOptions extends Timed {
  readonly dryRun: boolean;
  readonly yes: boolean;
}

type Known = FoundStatus['capabilities'][number];

/** Declares `fig abort`. */
export function addAbort(program: Command, run: Run): void {
  addCommand(program, 'abort', {
    does:
      'take a handover back before its commit point: the owner stays the owner; works without an ' +
      'engine, too; exit 3 when there is nothing to take back, or it is too late',
    examples: ['fig abort inventory --dry-run', 'fig abort inventory'],
  })
    .argument('<capability>')
    .option(...DRY_RUN, false)
    .option(...YES, false)
    .option(...REASON)
    .addOption(patience('give up waiting', 10_000))
    .action((capability: string, options: AbortOptions) =>
      run(options, (context, output) => abort(context, output, capability, options)),
    );
}

/** Takes a handover back before its commit point, with an engine or without one. */
async function abort(
  context: Context,
  output: Output,
  capability: string,
  { dryRun, yes, timeout }: AbortOptions,
): Promise<void> {
  declarationOf(context, capability);
  const engine = new EngineClient(context, timeout, output.progress);
  const { source, capabilities } = await findStatus(context, engine);
  const status = capabilities.find((one) => one.capability === capability) as Known;
  const handover = refuseWhatCantBe(status);
  if (dryRun) return showPlan(output, status, handover);
  const { from, to, id } = handover;
  await confirmed(output, {
    look: () => ({ question: `Take ${capability}: ${from} -> ${to} back?` }),
    yes,
    command: `fig abort ${capability}`,
  });
  const answer =
    source === 'engine'
      ? ((await engine.order('/aborts', { capability, handover: id })) as AbortAnswer)
      : await withoutEngine(context, output, handover);
  output.result(answer, () => answerText(answer, to), after(answer, to));
}

/** @returns the handover that can be taken back @throws CommandError that says what happens now */
function refuseWhatCantBe(status: Known): HandoverView {
  const found = abortable(status);
  if (!('code' in found)) return found;
  throw new CommandError(EXIT.refused, found.code, found.reason, found.next);
}

function showPlan(output: Output, status: Known, handover: HandoverView): void {
  const plan = planAbort(status, handover);
  output.result(plan, () => stepsText(plan.steps));
}

async function withoutEngine(
  context: Context,
  output: Output,
  { capability, id }: HandoverView,
): Promise<AbortAnswer> {
  try {
    return await inPlaceOfEngine(context, output, capability, (leader) =>
      takeBack(leader, id, () => undefined),
    );
  } catch (error) {
    throw explained(error);
  }
}

function explained(error: unknown): unknown {
  if (error instanceof LeaseHeldError) return unanswered(error);
  if (!(error instanceof Problem)) return error;
  const next = (error.members?.['next'] as string | undefined) ?? null;
  return new CommandError(EXIT.refused, error.code, error.message, next);
}

function answerText({ capability, owner, epoch }: AbortAnswer, to: string): string {
  return [
    `the handover of ${capability} to ${to} is taken back: ${owner} goes on as its owner (epoch ${epoch})`,
    'it is tried again only when the flag is turned, or by fig switch or fig reverse',
  ].join('\n');
}

function after({ capability }: AbortAnswer, to: string): readonly NextStep[] {
  const [value, verb] = to === 'extracted' ? ['off', 'switch'] : ['on', 'reverse'];
  return [
    step(`fig flags set ${capability}.writes ${value}`, 'so that the flag asks for what is'),
    step(`fig ${verb} ${capability}`, 'tries it again'),
  ];
}
