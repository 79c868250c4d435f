import type { Command } from 'commander';
import { ALL, addCommand, REASON, YES } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import { checkCapability, unopenedReport } from '../../check/index.ts';
import type { CheckReport, Inspectors } from '../../check/index.ts';
import type { DataDeclaration } from '../../engine/index.ts';
import type { SideName } from '../../../routing/side.ts';
import { UnopenedError } from '../../check/missing-right.ts';
import { openInspectors } from '../../sides/sides.ts';
import { count, plural } from '../../wording.ts';
import { change } from '../as-leader.ts';
import { CommandError, confirmed, EXIT } from '../../../chassis/cli/index.ts';
import type { Intent, Output, OutputOptions, Paint } from '../../../chassis/cli/index.ts';
import { declarationsFor } from '../context.ts';
import type { Context } from '../context.ts';
import { step } from '../../engine/next-step.ts';

const SIDES: readonly SideName[] = ['legacy', 'extracted'];

interface Plan {
  readonly side: SideName;
  readonly creates: readonly string[];
  readonly grants: readonly string[];
}

interface CheckOptions extends OutputOptions {
  /** Whether to print what installing would create, instead of trying the rows. */
  readonly ddl: boolean;
  /** Whether to go on from the schemas as they are now, where the mapping still fits. */
  readonly accept: boolean;
  readonly yes: boolean;
}

/** Declares `fig check`. */
export function addCheck(program: Command, run: Run): void {
  addCommand(program, 'check', {
    does:
      'verify that a mapping is lossless: by the schemas, by the types, and by translating ' +
      'every row there and back; reads only, needs no engine; exit 3 when it refuses the mapping',
    examples: [
      'fig check',
      'fig check inventory --ddl > review.sql',
      'fig check inventory --accept',
    ],
  })
    .argument('[capability]', ALL)
    .option(
      '--ddl',
      'print all that installing creates, and the grants it needs; tries no rows',
      false,
    )
    .option(
      '--accept',
      'accept the schemas as they are now, if they fit: after a table was changed',
      false,
    )
    .option(...YES, false)
    .option(...REASON)
    .action((capability: string | undefined, options: CheckOptions) =>
      run(options, (context, output) => check(context, output, capability, options)),
    );
}

/**
 * Says why mappings can't be used, or that they can.
 * @throws CommandError when a mapping is refused, after the report is printed
 */
async function check(
  context: Context,
  output: Output,
  capability: string | undefined,
  { ddl, accept, yes }: CheckOptions,
): Promise<void> {
  const checked: Checked[] = [];
  for (const declaration of declarationsFor(context, capability)) {
    checked.push(await checkOne(declaration, output, ddl));
  }
  const fitting = checked.filter(({ report }) => report.ok).map(({ report }) => report.capability);
  if (accept && fitting.length > 0) {
    const command = ['fig check', ...(capability === undefined ? [] : [capability]), '--accept'];
    await confirmed(output, {
      look: () => acceptIntent(fitting, checked.length),
      yes,
      command: command.join(' '),
    });
    for (const name of fitting) await change(context, output, name, { kind: 'accept-schemas' });
  }
  const next = (accept ? fitting : []).map((fits) =>
    step(`fig reconcile ${fits}`, 'changes may have been missed before the schema was accepted'),
  );
  output.result(
    { capabilities: checked.map(({ report, plans }) => ({ ...report, plans })) },
    () =>
      checked
        .map((one) => (ddl && one.report.ok ? planText(one) : reportText(one, output.paint)))
        .concat(next.map(({ command }) => `accepted as it is now\nnext: ${command}`))
        .join('\n\n') || 'no capability has a mapping: no rows move, and there is nothing to check',
    next,
  );
  const refused = checked.filter(({ report }) => !report.ok).map(({ report }) => report.capability);
  if (refused.length === 0) return;
  const message = `the mapping of ${refused.join(' and ')} can't be used as it is`;
  throw new CommandError(EXIT.refused, 'mapping_refused', message, 'fig check');
}

function acceptIntent(fitting: readonly string[], all: number): Intent {
  const not =
    all > fitting.length ? `, and not those of ${all - fitting.length} that do not fit` : '';
  return {
    will:
      `the triggers of ${fitting.join(' and ')} would be made anew for the tables as they are now${not}; ` +
      'a full comparison is demanded before the next handover',
    question: `Go on from the schemas of ${fitting.join(' and ')} as they are now?`,
  };
}

interface Checked {
  readonly report: CheckReport;
  readonly plans: readonly Plan[] | null;
}

async function checkOne(
  { mapping, urls }: DataDeclaration,
  output: Output,
  ddl: boolean,
): Promise<Checked> {
  const inspectors = await openInspectors(mapping, urls).catch((error: unknown) => {
    if (error instanceof UnopenedError) return error;
    throw error;
  });
  if (inspectors instanceof UnopenedError) {
    return { report: unopenedReport(mapping, inspectors), plans: null };
  }
  try {
    const report = await checkCapability({
      mapping,
      inspectors,
      measure: !ddl,
      onProgress: ({ side, table, rows, total }) =>
        output.progress(
          `${mapping.capability}: ${count(rows)} of ${plural(total, 'row')} of ${side} ${table}`,
        ),
    });
    return {
      report,
      plans:
        ddl && report.ok
          ? [await planOf(inspectors, 'legacy'), await planOf(inspectors, 'extracted')]
          : null,
    };
  } finally {
    for (const side of SIDES) await inspectors[side].close();
  }
}

async function planOf(inspectors: Inspectors, side: SideName): Promise<Plan> {
  const { [side]: inspector } = inspectors;
  return { side, creates: await inspector.creates(), grants: inspector.grants() };
}

/** SQL that can be read, and run, as it is. */
function planText({ report, plans }: Checked): string {
  const parts = (plans ?? []).map(({ side, creates, grants }) =>
    [
      `-- ${report.capability}, ${side}: what the engine creates when it first starts.`,
      ...grants.map((grant) => `-- needs: ${grant}`),
      ...creates.map((statement) => `${statement};`),
    ].join('\n'),
  );
  return parts.join('\n\n');
}

function reportText({ report }: Checked, paint: Paint): string {
  const { capability, ok, findings, triggers, rows } = report;
  const verdict = ok
    ? `${paint('bold', capability)}  ${paint('green', 'fits')}`
    : `${paint('bold', capability)}  ${paint('red', 'refused')}`;
  const reasons = findings.map(({ code, message, count: times }) => {
    const more = times > 1 ? ` (and ${count(times - 1)} more)` : '';
    return `  ${paint('red', code)}: ${message}${more}`;
  });
  const listed = triggers
    .filter(({ reason }) => reason !== null)
    .map(
      ({ side, table, trigger, reason }) =>
        `  trigger ${trigger} on ${side} ${table} fires for applied rows, too: ${reason ?? ''}`,
    );
  return [verdict, ...reasons, ...listed, ...(rows && ok ? [rowsText(rows)] : [])].join('\n');
}

function rowsText({ legacy, extracted }: Readonly<Record<SideName, number>>): string {
  return `  ${plural(legacy, 'row')} of legacy and ${plural(extracted, 'row')} of extracted go there and back unchanged`;
}
