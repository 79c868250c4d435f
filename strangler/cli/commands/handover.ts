import { CallFailed } from '../../../chassis/index.ts';
import type { HandoverAnswer, HandoverPlan } from '../../engine/index.ts';
import type { SideName } from '../../side.ts';
import { otherSide } from '../../side.ts';
import { declarationOf } from '../context.ts';
import type { Context } from '../context.ts';
import { confirmed } from '../confirm.ts';
import { EngineClient } from '../engine-client.ts';
import { CommandError, EXIT } from '../exit.ts';
import { duration, stepsText, table } from '../format.ts';
import { showGatePlan } from '../gate-plan.ts';
import { step } from '../next-step.ts';
import type { Output } from '../output.ts';

interface HandoverOptions {
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly timeoutMs: number;
}

/** Moves ownership of a capability to a side: `switch` and `reverse` are the same command. */
export async function handOver(
  context: Context,
  output: Output,
  capability: string,
  to: SideName,
  { dryRun, yes, timeoutMs }: HandoverOptions,
): Promise<void> {
  declarationOf(context, capability);
  const engine = new EngineClient(context.engineUrl, timeoutMs, output.progress);
  if (dryRun) return showPlan(engine, output, capability, to);
  await confirmed(output, {
    question: `Move the writes of ${capability} from ${otherSide(to)} to ${to}?`,
    yes,
  });
  output.progress(`${capability}: ${otherSide(to)} -> ${to}`);
  const answer = await give(engine, capability, to);
  const back = to === 'extracted' ? `fig reverse ${capability}` : `fig switch ${capability}`;
  output.result(answer, () => answerText(answer, back), [step(back, 'the way back')]);
}

async function give(
  engine: EngineClient,
  capability: string,
  to: SideName,
): Promise<HandoverAnswer> {
  try {
    return (await engine.order('/handovers', { capability, to })) as HandoverAnswer;
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    return whatBecameOfIt(engine, capability, to, error);
  }
}

/** The engine went away with the order: the next one finishes the handover, or takes it back. */
async function whatBecameOfIt(
  engine: EngineClient,
  capability: string,
  to: SideName,
  cause: CallFailed,
): Promise<HandoverAnswer> {
  for (;;) {
    const status = await engine.statusOf(capability);
    if (status?.standing.as === 'leader' && status.moving === null) {
      const { owner, epoch, lastHandover: last } = status;
      if (owner === to && last?.to === to && last.outcome === 'done') {
        const { id, holdMs } = last;
        const rollbackUnsafe = null;
        return { outcome: 'done', id, capability, to, epoch, holdMs, steps: [], rollbackUnsafe };
      }
      const message = `the engine went away and nothing was moved: ${cause.message}`;
      throw new CommandError(EXIT.failed, 'engine_went_away', message, 'fig status');
    }
    await engine.pause('the engine went away; waiting for the next one');
  }
}

async function showPlan(
  engine: EngineClient,
  output: Output,
  capability: string,
  to: SideName,
): Promise<void> {
  const order = { capability, to, dryRun: true };
  const plan = (await engine.order('/handovers', order)) as HandoverPlan;
  const { steps, prediction } = plan;
  showGatePlan(output, plan, {
    lines: [
      `${capability}: ${otherSide(to)} -> ${to} would`,
      stepsText(steps),
      `writes would wait for about ${duration(prediction.holdMs)}: ${prediction.from}`,
    ],
    command: `fig ${to === 'extracted' ? 'switch' : 'reverse'} ${capability}`,
  });
}

function answerText(answer: HandoverAnswer, back: string): string {
  const { capability, to, epoch } = answer;
  if (answer.outcome === 'already') {
    return `${capability} already belongs to ${to} (epoch ${epoch})\nway back: ${back}`;
  }
  const hold = answer.holdMs === null ? '' : `; writes were held for ${duration(answer.holdMs)}`;
  const steps = answer.steps.map(({ step: name, at, ms }) => [
    name,
    `at ${duration(at)}`,
    `took ${duration(ms)}`,
  ]);
  return [
    ...(steps.length > 0 ? [table(steps, '  ')] : []),
    `${capability} now belongs to ${to} (epoch ${epoch})${hold}`,
    answer.rollbackUnsafe === null
      ? `way back: ${back}`
      : `ROLLBACK UNSAFE: what ${to} writes does not find its way back: ${answer.rollbackUnsafe}`,
  ].join('\n');
}
