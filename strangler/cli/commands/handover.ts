import { CallFailed } from '../../../chassis/index.ts';
import type { HandoverAnswer, HandoverPlan } from '../../engine/index.ts';
import type { SideName } from '../../side.ts';
import { otherSide } from '../../side.ts';
import { plural } from '../../wording.ts';
import { declarationOf } from '../context.ts';
import type { Context } from '../context.ts';
import { confirmed } from '../confirm.ts';
import { EngineClient } from '../engine-client.ts';
import { CommandError, EXIT } from '../exit.ts';
import { duration, stepsText, table } from '../format.ts';
import { keysText } from '../keys-text.ts';
import { showGatePlan } from '../gate-plan.ts';
import { step } from '../next-step.ts';
import type { Output } from '../output.ts';

/** Single keys instead of everything; nothing when all of it moves. */
export interface CohortWords {
  readonly customers?: readonly string[] | undefined;
  /** In percent. */
  readonly share?: number | undefined;
}

interface HandoverOptions extends CohortWords {
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
  { dryRun, yes, timeoutMs, customers, share }: HandoverOptions,
): Promise<void> {
  declarationOf(context, capability);
  const engine = new EngineClient(context.engineUrl, timeoutMs, output.progress);
  const order: Order = {
    capability,
    to,
    ...(customers ? { customers } : {}),
    ...(share === undefined ? {} : { share }),
  };
  const what = whatOf(order);
  if (dryRun) return showPlan(engine, output, order);
  await confirmed(output, {
    question: `Move the writes of ${what} from ${otherSide(to)} to ${to}?`,
    yes,
  });
  output.progress(`${what}: ${otherSide(to)} -> ${to}`);
  const answer = await give(engine, order);
  const back = commandOf({ ...order, to: otherSide(to) });
  output.result(answer, () => answerText(answer, back), [step(back, 'the way back')]);
}

interface Order extends CohortWords {
  readonly capability: string;
  readonly to: SideName;
}

function whatOf({ capability, customers, share }: Order): string {
  if (customers) return `${plural(customers.length, 'customer')} of ${capability}`;
  return share === undefined ? capability : `${share} % of the customers of ${capability}`;
}

function commandOf({ capability, to, customers, share }: Order): string {
  const verb = `fig ${to === 'extracted' ? 'switch' : 'reverse'} ${capability}`;
  if (customers) return `${verb} --customers ${customers.join(',')}`;
  return share === undefined ? verb : `${verb} --share ${share}`;
}

async function give(engine: EngineClient, order: Order): Promise<HandoverAnswer> {
  try {
    return (await engine.order('/handovers', order)) as HandoverAnswer;
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    return whatBecameOfIt(engine, order, error);
  }
}

/** The engine went away with the order: the next one finishes the handover, or takes it back. */
async function whatBecameOfIt(
  engine: EngineClient,
  order: Order,
  cause: CallFailed,
): Promise<HandoverAnswer> {
  const { capability, to } = order;
  const single = order.customers !== undefined || order.share !== undefined;
  for (;;) {
    const status = await engine.statusOf(capability);
    if (status?.standing.as === 'leader' && status.moving === null) {
      const { owner, lastHandover: last } = status;
      const moved = last?.to === to && last.outcome === 'done' && (last.keys !== null) === single;
      if (moved && (single || owner === to)) {
        const { id, holdMs, epoch, keys } = last;
        const rollbackUnsafe = null;
        const outcome = 'done';
        return { outcome, id, capability, to, epoch, keys, holdMs, steps: [], rollbackUnsafe };
      }
      const message = `the engine went away and nothing was moved: ${cause.message}`;
      throw new CommandError(EXIT.failed, 'engine_went_away', message, 'fig status');
    }
    await engine.pause('the engine went away; waiting for the next one');
  }
}

async function showPlan(engine: EngineClient, output: Output, order: Order): Promise<void> {
  const { to } = order;
  const plan = (await engine.order('/handovers', { ...order, dryRun: true })) as HandoverPlan;
  const { steps, prediction, keys } = plan;
  showGatePlan(output, plan, {
    lines: [
      `${whatOf(order)}: ${otherSide(to)} -> ${to} would`,
      ...(keys === null ? [] : [`move ${keysText(keys)}`]),
      stepsText(steps),
      `writes would wait for about ${duration(prediction.holdMs)}: ${prediction.from}`,
    ],
    command: commandOf(order),
  });
}

function answerText(answer: HandoverAnswer, back: string): string {
  const { capability, to, epoch, keys } = answer;
  if (answer.outcome === 'already') {
    if (keys !== null) return `nobody of ${capability} who was asked for is at ${otherSide(to)}`;
    return `${capability} already belongs to ${to} (epoch ${epoch})\nway back: ${back}`;
  }
  const what = keys === null ? capability : `${keysText(keys)}, of ${capability},`;
  const hold = answer.holdMs === null ? '' : `; writes were held for ${duration(answer.holdMs)}`;
  const steps = answer.steps.map(({ step: name, at, ms }) => [
    name,
    `at ${duration(at)}`,
    `took ${duration(ms)}`,
  ]);
  return [
    ...(steps.length > 0 ? [table(steps, '  ')] : []),
    `${what} now ${keys === null || keys.length === 1 ? 'belongs' : 'belong'} to ${to} (epoch ${epoch})${hold}`,
    answer.rollbackUnsafe === null
      ? `way back: ${back}`
      : `ROLLBACK UNSAFE: what ${to} writes does not find its way back: ${answer.rollbackUnsafe}`,
  ].join('\n');
}
