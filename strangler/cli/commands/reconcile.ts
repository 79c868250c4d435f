import type { ReconcileReport } from '../../copy/index.ts';
import { declarationOf } from '../context.ts';
import type { Context } from '../context.ts';
import { EngineClient } from '../engine-client.ts';
import { CommandError, EXIT } from '../exit.ts';
import { count, duration, plural, table } from '../format.ts';
import type { Output, Paint } from '../output.ts';

/** Rows that are printed; the JSON has all that the engine keeps. */
const ROWS_SHOWN = 10;

/**
 * Compares both sides row by row through the mapping.
 * @throws CommandError when they differ, after the report is printed
 */
export async function reconcile(
  context: Context,
  output: Output,
  capability: string,
  timeoutMs: number,
): Promise<void> {
  declarationOf(context, capability);
  const engine = new EngineClient(context.engineUrl, timeoutMs, output.progress);
  output.progress(`comparing ${capability} row by row`);
  const report = (await engine.order('/reconciles', { capability })) as ReconcileReport;
  output.result(report, () => reportText(report, output.paint));
  if (report.clean) return;
  // The owner is right; rows that were only too hot to compare are worth another look first.
  const real = report.pairs.some((pair) => pair.missing + pair.extra + pair.different > 0);
  const next = real ? `fig backfill ${capability} --restart` : `fig reconcile ${capability}`;
  throw new CommandError(EXIT.failed, 'differences', `the sides of ${capability} differ`, next);
}

function reportText(
  { pairs, rows, clean, startedAt, finishedAt }: ReconcileReport,
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
    `${verdict}: ${plural(total, 'row')} compared in ${duration(finishedAt - startedAt)}`,
  ].join('\n');
}
