import type { Command } from 'commander';
import { DRY_RUN, patience, addCommand, REASON, YES } from '../add-command.ts';
import type { Run, Timed } from '../add-command.ts';
import { CallFailed } from '../../../chassis/index.ts';
import type { CompletionAnswer, CompletionPlan } from '../../engine/index.ts';
import { refusalOf } from '../../ownership/handover/gates.ts';
import { plural } from '../../wording.ts';
import { CommandError, confirmed, EXIT, stepsText, table } from '../../../chassis/cli/index.ts';
import type { Intent, Output } from '../../../chassis/cli/index.ts';
import { declarationOf } from '../context.ts';
import type { Context } from '../context.ts';
import { EngineClient } from '../engine-client.ts';
import { showGatePlan } from '../gate-plan.ts';

interface CompleteOptions extends Timed {
  readonly dryRun: boolean;
  readonly yes: boolean;
}

/** Declares `fig complete`. */
export function addComplete(program: Command, run: Run): void {
  addCommand(program, 'complete', {
    does:
      'take the last step, some time after the switch: compare once more, close the way back, rename ' +
      'the legacy tables, and retire the legacy routes; prints what is left to delete',
    examples: ['fig complete inventory --dry-run', 'fig complete inventory'],
  })
    .argument('<capability>')
    .option(...DRY_RUN, false)
    .option(...YES, false)
    .option(...REASON)
    .addOption(patience('give up waiting; it goes on', 600_000))
    .action((capability: string, options: CompleteOptions) =>
      run(options, (context, output) => complete(context, output, capability, options)),
    );
}

/** Takes the last step: the way back is closed, the legacy tables are renamed, never dropped. */
async function complete(
  context: Context,
  output: Output,
  capability: string,
  { dryRun, yes, timeout }: CompleteOptions,
): Promise<void> {
  declarationOf(context, capability);
  const engine = new EngineClient(context, timeout, output.progress);
  if (dryRun) return showPlan(engine, output, capability);
  await confirmed(output, {
    look: () => look(engine, capability),
    yes,
    command: `fig complete ${capability}`,
  });
  output.progress(`${capability}: comparing both sides a last time, then closing the way back`);
  const answer = await give(engine, capability);
  output.result(answer, () => answerText(answer));
}

/** @throws CommandError where a gate refuses */
async function look(engine: EngineClient, capability: string): Promise<Intent | null> {
  if ((await engine.statusOf(capability))?.standing.as === 'complete') return null;
  const order = { capability, dryRun: true };
  const { gates, tables } = (await engine.order('/completions', order)) as CompletionPlan;
  const refusal = refusalOf(gates);
  if (refusal) {
    const { gate, reason, next } = refusal;
    throw new CommandError(EXIT.refused, 'gate_refused', reason, next, {
      capability,
      gate,
      reason,
    });
  }
  const renamed = tables.map((one) => `${one.table} to ${one.renamed}`).join(', ');
  return {
    will: `${plural(tables.length, 'table')} of legacy would be renamed: ${renamed}`,
    question: `Complete ${capability}? There is no way back afterwards.`,
  };
}

async function give(engine: EngineClient, capability: string): Promise<CompletionAnswer> {
  try {
    return (await engine.order('/completions', { capability })) as CompletionAnswer;
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    return whatBecameOfIt(engine, capability, error);
  }
}

/** The engine went away with the order: the next one goes on with it, or takes it back. */
async function whatBecameOfIt(
  engine: EngineClient,
  capability: string,
  cause: CallFailed,
): Promise<CompletionAnswer> {
  for (;;) {
    const status = await engine.statusOf(capability);
    if (status?.standing.as === 'complete') {
      return (await engine.order('/completions', { capability })) as CompletionAnswer;
    }
    if (status?.standing.as === 'leader' && status.stage === 'switched') {
      const message = `the engine went away, and ${capability} was not completed: ${cause.message}`;
      throw new CommandError(
        EXIT.failed,
        'engine_went_away',
        message,
        `fig complete ${capability}`,
      );
    }
    await engine.pause('the engine went away; waiting for the next one');
  }
}

async function showPlan(engine: EngineClient, output: Output, capability: string): Promise<void> {
  const order = { capability, dryRun: true };
  const plan = (await engine.order('/completions', order)) as CompletionPlan;
  showGatePlan(output, plan, {
    lines: [`completing ${capability} would`, stepsText(plan.steps)],
    command: `fig complete ${capability}`,
  });
}

function answerText({ capability, outcome, tables, leftovers }: CompletionAnswer): string {
  const verdict =
    outcome === 'already'
      ? `${capability} is complete already`
      : `${capability} is complete: there is no way back`;
  return [
    verdict,
    'kept until you drop them:',
    table(
      tables.map(({ table: before, renamed }) => [renamed, `was ${before}`]),
      '  ',
    ),
    'to be deleted by hand, once it is unused:',
    ...leftovers.map((line) => `  ${line}`),
  ].join('\n');
}
