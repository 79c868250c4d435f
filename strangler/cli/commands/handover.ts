import { Option } from 'commander';
import type { Command } from 'commander';
import { parseKeys, patience, parsePercent, addCommand, REASON, YES } from '../add-command.ts';
import type { Run, Timed } from '../add-command.ts';
import { CallFailed } from '../../../chassis/index.ts';
import { duration } from '../../../chassis/text/index.ts';
import type { HandoverAnswer, HandoverPlan, LiveStatus } from '../../engine/index.ts';
import { refusalOf } from '../../ownership/handover/gates.ts';
import type { SideName } from '../../../routing/side.ts';
import { otherSide } from '../../../routing/side.ts';
import { plural } from '../../wording.ts';
import { declarationOf } from '../context.ts';
import type { Context } from '../context.ts';
import { CommandError, confirmed, EXIT, stepsText, table } from '../../../chassis/cli/index.ts';
import type { Intent, Output } from '../../../chassis/cli/index.ts';
import { EngineClient } from '../engine-client.ts';
import { keysText } from '../keys-text.ts';
import { showGatePlan } from '../gate-plan.ts';
import { step } from '../../engine/next-step.ts';

/** Single keys instead of everything; nothing when all of it moves. */
interface Cohort {
  readonly customers?: readonly string[] | undefined;
  /** In percent. */
  readonly share?: number | undefined;
}

interface HandoverOptions extends Cohort, Timed {
  readonly dryRun: boolean;
  readonly yes: boolean;
  /** Whatever the flag asks for, and without turning it. */
  readonly withoutFlags: boolean;
}

const HANDOVERS = [
  ['switch', 'extracted', 'let the extracted service own the writes, and set the flag'],
  ['reverse', 'legacy', 'give the writes back to the monolith, and set the flag'],
] as const;

/** Declares `fig switch` and `fig reverse`. */
export function addHandovers(program: Command, run: Run): void {
  for (const [name, to, does] of HANDOVERS) {
    addCommand(program, name, {
      does: `${does}; looks at the gates, then asks; --yes where no terminal is`,
      examples: [
        `fig ${name} inventory --dry-run`,
        `fig ${name} inventory`,
        `fig ${name} payment --customers CUST-1,CUST-2    only theirs, ahead of the rest`,
        `fig ${name} payment --share 10                   those of one customer in ten`,
      ],
    })
      .argument('<capability>')
      .addOption(
        new Option('--customers <keys>', 'move only these, separated by commas')
          .argParser(parseKeys)
          .conflicts('share'),
      )
      .option('--share <percent>', 'move only so many of those who have rows by now', parsePercent)
      .option(
        '--without-flags',
        'leave the flag as it is, also where it can not be read: it counts again once it is turned',
        false,
      )
      .option('--dry-run', 'show gates, steps and the hold to expect; change nothing', false)
      .option(...YES, false)
      .option(...REASON)
      .addOption(patience('give up waiting; the handover may still be done', 30_000))
      .action((capability: string, options: HandoverOptions) =>
        run(options, (context, output) => handOver(context, output, capability, to, options)),
      );
  }
}

/** Moves ownership of a capability to a side: `switch` and `reverse` are the same command. */
async function handOver(
  context: Context,
  output: Output,
  capability: string,
  to: SideName,
  { dryRun, yes, timeout, customers, share, withoutFlags }: HandoverOptions,
): Promise<void> {
  declarationOf(context, capability);
  const engine = new EngineClient(context, timeout, output.progress);
  const order: Order = {
    capability,
    to,
    ...(customers ? { customers } : {}),
    ...(share === undefined ? {} : { share }),
    ...(withoutFlags ? { withoutFlags } : {}),
  };
  const what = whatOf(order);
  if (dryRun) return showPlan(engine, output, order);
  await confirmed(output, { look: () => look(engine, order), yes, command: commandOf(order) });
  output.progress(`${what}: ${otherSide(to)} -> ${to}`);
  const answer = await give(engine, order);
  const back = commandOf({ ...order, to: otherSide(to), withoutFlags: false });
  const flag = `${capability}.writes`;
  const later = `fig flags set ${flag} ${to === 'extracted' ? 'on' : 'off'}`;
  const next = [step(back, 'the way back')];
  output.result(
    answer,
    () => {
      const text = answerText(answer, back);
      return withoutFlags ? `${text}\n${flag} was not turned; once it can be: ${later}` : text;
    },
    withoutFlags ? [step(later, 'so that the flag asks for what is'), ...next] : next,
  );
}

/** Where nothing is left to move there is nothing to ask: the engine says so, and turns the flag. */
async function isThere(engine: EngineClient, order: Order): Promise<boolean> {
  const status = await engine.statusOf(order.capability);
  if (status?.owner !== order.to || status.moving !== null) return false;
  // With keys that moved ahead, the owner of all others is not the whole answer.
  return status.cohorts === null && order.customers === undefined && order.share === undefined;
}

/** @throws CommandError where a gate refuses */
async function look(engine: EngineClient, order: Order): Promise<Intent | null> {
  if (await isThere(engine, order)) return null;
  const plan = await planOf(engine, order);
  const { keys } = plan;
  if (keys?.length === 0) return null;
  const refusal = refusalOf(plan.gates);
  const { capability, to } = order;
  if (refusal) {
    const { gate, reason, next } = refusal;
    throw new CommandError(EXIT.refused, 'gate_refused', reason, next, {
      capability,
      gate,
      reason,
    });
  }
  const { holdMs, from } = plan.prediction;
  const what = keys === null ? capability : `${keysText(keys)}, of ${capability}`;
  return {
    will: `${what}: writes would wait for about ${duration(holdMs)} (${from})`,
    question: `Move the writes of ${whatOf(order)} from ${otherSide(to)} to ${to}?`,
  };
}

interface Order extends Cohort {
  readonly capability: string;
  readonly to: SideName;
  readonly withoutFlags?: boolean;
}

function whatOf({ capability, customers, share }: Order): string {
  if (customers) return `${plural(customers.length, 'customer')} of ${capability}`;
  return share === undefined ? capability : `${share} % of the customers of ${capability}`;
}

function commandOf({ capability, to, customers, share, withoutFlags = false }: Order): string {
  const which = to === 'extracted' ? 'switch' : 'reverse';
  const verb = `fig ${which} ${capability}${withoutFlags ? ' --without-flags' : ''}`;
  if (customers) return `${verb} --customers ${customers.join(',')}`;
  return share === undefined ? verb : `${verb} --share ${share}`;
}

async function give(engine: EngineClient, order: Order): Promise<HandoverAnswer> {
  const before = await engine.statusOf(order.capability);
  try {
    return (await engine.order('/handovers', order, LOST)) as HandoverAnswer;
  } catch (error) {
    if (!isLost(error)) throw error;
    return whatBecameOfIt(engine, order, { before, cause: error });
  }
}

/** What an engine answers that may have begun, or even finished, what was asked of it. */
const LOST = ['handover_lost', 'internal_error', 'database_unavailable'];

/** Whether nobody has said what became of an order that may have been begun. */
function isLost(error: unknown): error is Error {
  if (error instanceof CallFailed) return true;
  return error instanceof CommandError && LOST.includes(error.code);
}

interface Lost {
  readonly before: LiveStatus | undefined;
  readonly cause: Error;
}

/** The answer got lost: the journal says what became of the order, once an engine leads again. */
async function whatBecameOfIt(
  engine: EngineClient,
  order: Order,
  { before, cause }: Lost,
): Promise<HandoverAnswer> {
  const { capability, to } = order;
  const single = order.customers !== undefined || order.share !== undefined;
  for (;;) {
    const status = await engine.statusOf(capability);
    const readable = status?.standing.as === 'leader' && status.trouble.length === 0;
    if (readable && status.moving === null) {
      const { owner, lastHandover: last } = status;
      const isNew = last !== null && last.id !== before?.lastHandover?.id;
      const isIt = isNew && last.to === to && (last.keys !== null) === single;
      if (isIt && last.outcome === 'done' && (single || owner === to)) {
        const { id, holdMs, epoch, keys } = last;
        const rollbackUnsafe = null;
        const outcome = 'done';
        return { outcome, id, capability, to, epoch, keys, holdMs, steps: [], rollbackUnsafe };
      }
      if (isIt && last.outcome === 'aborted') {
        const message = `the handover was taken back: ${last.reason ?? 'no reason was recorded'}`;
        const next = `fig journal ${capability}`;
        throw new CommandError(EXIT.failed, 'handover_aborted', message, next);
      }
      const standing =
        owner === null ? `${capability} has no owner` : `${owner} owns ${capability}`;
      const message = `nothing was moved, and ${standing}: ${cause.message}`;
      throw new CommandError(EXIT.failed, 'engine_went_away', message, 'fig status');
    }
    await engine.pause('no answer came; waiting for what the journal says');
  }
}

async function planOf(engine: EngineClient, order: Order): Promise<HandoverPlan> {
  const { withoutFlags: _not, ...asked } = order;
  return (await engine.order('/handovers', { ...asked, dryRun: true })) as HandoverPlan;
}

async function showPlan(engine: EngineClient, output: Output, order: Order): Promise<void> {
  const { to } = order;
  const plan = await planOf(engine, order);
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
    if (keys !== null)
      return `none of the requested customers of ${capability} is at ${otherSide(to)}`;
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
