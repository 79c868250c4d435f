import type { Command } from 'commander';
import {
  DELETE_ROWS,
  patience,
  parsePercent,
  parsePositive,
  addCommand,
  REASON,
  YES,
} from '../add-command.ts';
import type { Run, Timed } from '../add-command.ts';
import { duration } from '../../../chassis/text/index.ts';
import type { ReconcileReport, Repair } from '../../replication/copy/index.ts';
import { count, plural } from '../../wording.ts';
import { declarationOf } from '../context.ts';
import type { Context } from '../context.ts';
import { EngineClient } from '../engine-client.ts';
import { CommandError, EXIT, table } from '../../../chassis/cli/index.ts';
import type { Output, Paint } from '../../../chassis/cli/index.ts';
import { step } from '../../engine/next-step.ts';
import { agreedOnRemoval } from '../removal.ts';
import type { NextStep } from '../../engine/next-step.ts';

/** Rows that are printed; the JSON has all that the engine keeps. */
const ROWS_SHOWN = 10;

interface ReconcileOptions extends Timed {
  readonly sample?: number;
  readonly repair: boolean;
  readonly yes: boolean;
  /** Rows that may vanish from the side that follows, as the refusal names them. */
  readonly deleteRows?: number;
}

type ReconcileAnswer = ReconcileReport & { readonly repair?: Repair };

/** Declares `fig reconcile`. */
export function addReconcile(program: Command, run: Run): void {
  addCommand(program, 'reconcile', {
    does: 'compare both sides row by row, while both are in use; exit 1 when they differ',
    examples: ['fig reconcile inventory --json', 'fig reconcile inventory --repair'],
  })
    .argument('<capability>')
    .option('--sample <percent>', 'compare only about so many of the rows', parsePercent)
    .option('--repair', "bring the owner's rows over once more where the sides differ", false)
    .option(...DELETE_ROWS, parsePositive)
    .option(...YES, false)
    .option(...REASON)
    .addOption(patience('give up waiting', 600_000))
    .action((capability: string, options: ReconcileOptions) =>
      run(options, (context, output) => reconcile(context, output, capability, options)),
    );
}

/**
 * Compares both sides row by row through the mapping.
 * @throws CommandError when they differ, after the report is printed
 */
async function reconcile(
  context: Context,
  output: Output,
  capability: string,
  { sample, repair, yes, deleteRows, timeout }: ReconcileOptions,
): Promise<void> {
  declarationOf(context, capability);
  const engine = new EngineClient(context, timeout, output.progress);
  if (repair) {
    const deleting = deleteRows === undefined ? '' : ` --delete-rows ${deleteRows}`;
    const command = `fig reconcile ${capability} --repair${deleting}`;
    await agreedOnRemoval(engine, output, { capability, deleteRows, yes, command });
  } else {
    await output.changing?.(`fig reconcile ${capability}`);
  }
  output.progress(`comparing ${capability} row by row`);
  const report = (await engine.order('/reconciles', {
    capability,
    sample,
    repair,
    deleteRows,
  })) as ReconcileAnswer;
  const next = report.clean ? [] : nextOf(report, await isCopied(engine, capability));
  output.result(report, () => reportText(report, output.paint), next);
  if (report.clean) return;
  if (report.repair && report.repair.left === 0) return;
  const command = next[0]?.command ?? null;
  throw new CommandError(EXIT.failed, 'differences', `the sides of ${capability} differ`, command);
}

/** Whether the side that follows has a whole copy. */
async function isCopied(engine: EngineClient, capability: string): Promise<boolean> {
  const status = await engine.status();
  const found = status?.capabilities.find((one) => one.capability === capability);
  return found?.backfill.state === 'done';
}

/** What to do about sides that differ. */
function nextOf(
  { capability, pairs, repair }: ReconcileAnswer,
  copied: boolean,
): readonly NextStep[] {
  if (!copied) return [step(`fig backfill ${capability}`, 'the other side has no complete copy')];
  const again = `fig reconcile ${capability}`;
  if (repair?.left === 0) return [step(again, 'tells whether the sides are equal now')];
  // The owner is right; rows that were only too hot to compare are worth another look first.
  const real = pairs.some((pair) => pair.missing + pair.extra + pair.different > 0);
  return real
    ? [step(`${again} --repair`, "brings the owner's rows over once more")]
    : [step(again, 'rows changed too fast to be compared')];
}

function reportText(
  {
    pairs,
    rows,
    clean,
    sample,
    capability,
    repair,
    dangling = [],
    startedAt,
    finishedAt,
  }: ReconcileAnswer,
  paint: Paint,
): string {
  const lines = pairs.map(({ pair, rows: compared, missing, extra, different, unsettled }) => [
    pair,
    plural(compared, 'row'),
    missing + extra + different + unsettled === 0
      ? 'equal'
      : `${count(missing)} missing, ${count(extra)} extra, ${count(different)} different, ${count(unsettled)} unsettled`,
  ]);
  const total = pairs.reduce((sum, pair) => sum + pair.rows, 0);
  const verdict = clean ? paint('green', 'both sides are equal') : paint('red', 'the sides differ');
  const examples = rows
    .slice(0, ROWS_SHOWN)
    .map(({ pair, kind, key, columns, source, target }) =>
      [
        `${kind} in ${pair}: ${JSON.stringify(key)}${columns.length > 0 ? ` (${columns.join(', ')})` : ''}`,
        `  owner  ${JSON.stringify(source)}`,
        `  other  ${JSON.stringify(target)}`,
      ].join('\n'),
    );
  return [
    table(lines),
    ...examples,
    ...dangling.map((text) => paint('yellow', text)),
    `${verdict}: ${plural(total, 'row')} compared in ${duration(finishedAt - startedAt)}` +
      (sample === null ? '' : `, a sample of ${sample} %, which is no proof`),
    ...(repair && !clean ? [repairText(repair, capability)] : []),
  ].join('\n');
}

function repairText({ queued, removed, left }: Repair, capability: string): string {
  const brought = queued - removed;
  const did = [
    ...(brought > 0 || removed === 0
      ? [`${plural(brought, 'row')} of the owner brought over once more`]
      : []),
    ...(removed > 0
      ? [`${plural(removed, 'row')} that the owner does not have removed from the other side`]
      : []),
    ...(left > 0 ? [`${count(left)} are left for another run`] : []),
  ];
  return `${did.join(', ')}\nnext: fig reconcile ${capability}`;
}
