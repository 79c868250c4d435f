import type { Command } from 'commander';
import {
  DELETE_ROWS,
  DRY_RUN,
  patience,
  parsePositive,
  parseRate,
  addCommand,
  REASON,
  YES,
} from '../add-command.ts';
import type { Run, Timed } from '../add-command.ts';
import { duration } from '../../../chassis/text/index.ts';
import type { LiveStatus } from '../../engine/index.ts';
import { planBackfill } from '../../engine/plans.ts';
import type { Mapping } from '../../mapping/index.ts';
import { plural } from '../../wording.ts';
import { CommandError, confirmed, EXIT, stepsText } from '../../../chassis/cli/index.ts';
import type { Intent, Output } from '../../../chassis/cli/index.ts';
import { declarationOf } from '../context.ts';
import type { Context } from '../context.ts';
import { EngineClient } from '../engine-client.ts';
import { agreedOnRemoval } from '../removal.ts';
import { copiedText } from '../copied-text.ts';
import { nextSteps, step } from '../../engine/next-step.ts';

interface BackfillOptions extends Timed {
  readonly restart: boolean;
  /** Rows a second; null lifts the limit, and undefined leaves it as it is. */
  readonly rate?: number | null | undefined;
  readonly dryRun: boolean;
  readonly yes: boolean;
  /** Rows that may vanish from the side that is copied to, as the refusal names them. */
  readonly deleteRows?: number | undefined;
}

/** Declares `fig backfill`. */
export function addBackfill(program: Command, run: Run): void {
  addCommand(program, 'backfill', {
    does: "copy the owner's rows to the other side, while both are in use; goes on where it stopped",
    examples: [
      'fig backfill inventory',
      'fig backfill inventory --rate 500    slowly; also while it runs',
      'fig backfill inventory --rate off    as fast as live changes allow',
      'fig backfill inventory --restart',
    ],
  })
    .argument('<capability>')
    .option('--restart', 'copy everything again', false)
    .option(...DELETE_ROWS, parsePositive)
    .option('--rate <rows/s>', 'copy so many rows a second at most; off lifts the limit', parseRate)
    .option(...DRY_RUN, false)
    .option(...YES, false)
    .option(...REASON)
    .addOption(patience('give up waiting; the copy goes on', 600_000))
    .action((capability: string, options: BackfillOptions) =>
      run(options, (context, output) => backfill(context, output, capability, options)),
    );
}

/** Copies a capability's rows to the other side, and shows how far it has come. */
async function backfill(
  context: Context,
  output: Output,
  capability: string,
  { restart, rate, dryRun, yes, deleteRows, timeout }: BackfillOptions,
): Promise<void> {
  const { mapping } = declarationOf(context, capability);
  const engine = new EngineClient(context, timeout, output.progress);
  if (dryRun) return showPlan(engine, output, mapping, restart);
  await agreed(engine, output, capability, { restart, rate, yes, deleteRows });
  await engine.order('/backfills', { capability, restart, rate, deleteRows });
  const goOn = (): Promise<unknown> => engine.order('/backfills', { capability, rate, deleteRows });
  const done = await whenDone(engine, capability, goOn);
  const { rows, startedAt, at } = done.backfill;
  const tookMs = startedAt === null || at === null ? null : at - startedAt;
  const parked = done.parked?.changes ?? 0;
  // Copied again because the sides differed: see whether they still do.
  const next = restart
    ? [step(`fig reconcile ${capability}`, 'tells whether the sides are equal now')]
    : nextSteps(done);
  output.result(
    { capability, state: 'done', rows, tookMs, parked },
    () => {
      const took = tookMs === null ? '' : ` in ${duration(tookMs)}`;
      const copied = `${capability}: ${plural(rows, 'row')} copied${took}, and followed from now on`;
      const left =
        parked === 0
          ? []
          : [
              `${plural(parked, 'change')} could not be brought over and ` +
                `${parked === 1 ? 'is' : 'are'} parked: fig parked list ${capability}`,
            ];
      return [copied, ...left, ...next.slice(0, 1).map(({ command }) => `next: ${command}`)].join(
        '\n',
      );
    },
    next,
  );
}

/** A copy that would begin or go on may remove rows; of one that runs only the pace is changed. */
async function agreed(
  engine: EngineClient,
  output: Output,
  capability: string,
  {
    restart,
    rate,
    yes,
    deleteRows,
  }: Pick<BackfillOptions, 'restart' | 'rate' | 'yes' | 'deleteRows'>,
): Promise<void> {
  const words = [
    `fig backfill ${capability}`,
    ...(restart ? ['--restart'] : []),
    ...(rate === undefined ? [] : [`--rate ${rate ?? 'off'}`]),
    ...(deleteRows === undefined ? [] : [`--delete-rows ${deleteRows}`]),
  ];
  const command = words.join(' ');
  const status = await engine.statusOf(capability);
  const runs = status?.backfillRun?.running === true;
  if (restart || (!runs && status?.backfill.state !== 'done')) {
    await agreedOnRemoval(engine, output, { capability, deleteRows, yes, command });
  } else if (runs && rate !== undefined) {
    const limit = rate === null ? 'without a limit' : `at ${plural(rate, 'row')} a second at most`;
    const look = (): Intent => ({ question: `Go on copying ${capability} ${limit}?` });
    await confirmed(output, { look, yes, command });
  }
}

async function showPlan(
  engine: EngineClient,
  output: Output,
  mapping: Mapping,
  restart: boolean,
): Promise<void> {
  const plan = planBackfill(mapping, await engine.statusOf(mapping.capability), restart);
  const { capability, steps } = plan;
  output.result(plan, () =>
    steps.length === 0
      ? `${capability} is copied already; --restart copies it again`
      : stepsText(steps),
  );
}

/** @param goOn orders a copy that none is at work on: its engine lost the lease before it had begun */
async function whenDone(
  engine: EngineClient,
  capability: string,
  goOn: () => Promise<unknown>,
): Promise<LiveStatus> {
  for (;;) {
    const status = await engine.statusOf(capability);
    if (status?.backfill.state === 'done') return status;
    const run = status?.backfillRun;
    if (run && !run.running && run.problem !== null) {
      throw new CommandError(EXIT.failed, 'backfill_failed', run.problem, 'fig status');
    }
    const standing = status?.standing;
    if (run && !run.running && standing?.as === 'leader') await goOn();
    if (standing?.as === 'waiting' && standing.unfit === true) {
      const next = `fig check ${capability}`;
      throw new CommandError(EXIT.refused, 'mapping_unfit', standing.reason, next);
    }
    await engine.pause(status ? progressOf(status) : 'the engine does not answer');
  }
}

/** How far it is, or why it is no further. */
function progressOf({
  capability,
  standing,
  broken,
  backfill: done,
  backfillRun,
}: LiveStatus): string {
  if (standing.as !== 'leader') {
    const why = standing.as === 'waiting' ? standing.reason : 'another engine leads';
    return `${capability}: waiting for an engine that acts: ${why}`;
  }
  const stuck = broken === null ? '' : `; changes can't be applied: ${broken}`;
  return `${capability}: ${copiedText(done, backfillRun)}${stuck}`;
}
