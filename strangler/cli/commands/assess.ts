import { writeFile } from 'node:fs/promises';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import {
  assessCapability,
  assessDatabase,
  assessmentPage,
  assessmentText,
  worst,
} from '../../assess/index.ts';
import type { Assessment, Verdict } from '../../assess/index.ts';
import { findConfig } from '../../../routing/index.ts';
import { step } from '../../engine/next-step.ts';
import type { NextStep } from '../../engine/next-step.ts';
import { count, plural } from '../../wording.ts';
import { ALL, addCommand, withEnvironment } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import { declarationsFor, findSystem } from '../context.ts';
import type { Context } from '../context.ts';
import { CommandError, EXIT } from '../../../chassis/cli/index.ts';
import type { Output, OutputOptions } from '../../../chassis/cli/index.ts';

interface AssessOptions extends OutputOptions {
  readonly database?: string;
  readonly tables?: readonly string[];
  readonly html?: string;
  /** In ms. */
  readonly window: number;
  readonly rows: boolean;
}

const WINDOW_SECONDS = 5;

/** Declares `fig assess`. */
export function addAssess(program: Command, run: Run): void {
  addCommand(program, 'assess', {
    does:
      'say what fits, what needs a choice and what can not be moved, with rights, size and load; reads only; ' +
      'exit 0 when all fits, 5 when something needs a choice, 3 when something can not be moved',
    examples: [
      'fig assess --database postgres://user@host/shop',
      'fig assess --database postgres://user@host/shop --tables orders,order_lines',
      'fig assess inventory --html report.html',
    ],
  })
    .argument('[capability]', ALL)
    .option('--database <url>', 'assess this database, before there is a configuration')
    .option(
      '--tables <names>',
      'with --database: only these tables, separated by commas',
      parseNames,
    )
    .option('--html <file>', 'also write the report as one page')
    .addOption(
      new Option('--window <seconds>', 'count writes for so long; 0 to not wait')
        .argParser(parseWindow)
        .default(WINDOW_SECONDS * 1_000, String(WINDOW_SECONDS)),
    )
    .option('--no-rows', 'take no rows there and back, which reads all of them')
    .action((capability: string | undefined, options: AssessOptions) =>
      options.database === undefined
        ? run(
            options,
            (context, output) => assessAll(context, output, capability, options),
            findConfigured,
          )
        : run(
            options,
            (_env, output) => assessOne(output, options.database ?? '', capability, options),
            withEnvironment,
          ),
    );
}

/** @throws CommandError where neither a configuration nor a database is given */
async function findConfigured(env: NodeJS.ProcessEnv): Promise<Context> {
  if (findConfig(env) !== undefined) return findSystem(env);
  throw new CommandError(
    EXIT.usage,
    'usage_database',
    'there is no configuration here: say which database to assess',
    'fig assess --database postgres://user@host/name',
  );
}

async function assessAll(
  context: Context,
  output: Output,
  capability: string | undefined,
  options: AssessOptions,
): Promise<void> {
  if (options.tables !== undefined) {
    throw new CommandError(
      EXIT.usage,
      'usage_tables',
      'the mapping says which tables move; --tables goes with --database',
    );
  }
  const assessments: Assessment[] = [];
  for (const { mapping, urls, drainFirst = [] } of declarationsFor(context, capability)) {
    const assessment = await assessCapability({
      mapping,
      urls,
      drainFirst,
      windowMs: options.window,
      rows: options.rows,
      onProgress: (line) => output.progress(line),
      onMeasured: ({ side, table, rows, total }) =>
        output.progress(
          `${mapping.capability}: ${count(rows)} of ${plural(total, 'row')} of ${side} ${table}`,
        ),
    });
    assessments.push(assessment);
  }
  await show(output, assessments, options, (verdict) =>
    verdict === 'fits'
      ? [step(`fig backfill ${capability ?? 'CAPABILITY'}`, 'everything fits')]
      : [step('fig check', 'says whether the mapping can be used once these are settled')],
  );
}

async function assessOne(
  output: Output,
  url: string,
  capability: string | undefined,
  options: AssessOptions,
): Promise<void> {
  if (capability !== undefined) {
    throw new CommandError(
      EXIT.usage,
      'usage_database',
      'give either a capability of the configuration or --database',
    );
  }
  const assessment = await assessDatabase({
    url,
    tables: options.tables,
    windowMs: options.window,
    onProgress: (line) => output.progress(line),
  });
  await show(output, [assessment], options, () => [
    step('fig init', 'proposes a capability, and writes a configuration for it'),
  ]);
}

/** @throws CommandError unless everything fits, after the report is printed */
async function show(
  output: Output,
  assessments: readonly Assessment[],
  { html }: AssessOptions,
  nextFor: (verdict: Verdict) => readonly NextStep[],
): Promise<void> {
  if (html !== undefined) await writeFile(html, assessmentPage(assessments, new Date()));
  const verdict = worst(assessments.map((each) => each.verdict));
  const next = nextFor(verdict);
  output.result(
    { verdict, assessments },
    () =>
      assessments
        .map((assessment) => assessmentText(assessment, output.paint))
        .concat(html === undefined ? [] : `the page is ${html}`)
        .join('\n\n'),
    next,
  );
  if (verdict === 'fits') return;
  const [first] = next;
  throw verdict === 'cannot'
    ? new CommandError(
        EXIT.refused,
        'cannot_be_moved',
        "something can't be moved as it is",
        first?.command ?? null,
      )
    : new CommandError(
        EXIT.choices,
        'choices_needed',
        'something needs a choice',
        first?.command ?? null,
      );
}

function parseNames(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.every((name) => name !== '')) return names;
  throw new InvalidArgumentError('Give names of tables separated by commas.');
}

/** @returns ms */
function parseWindow(text: string): number {
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= 0 && seconds <= 3_600) return seconds * 1_000;
  throw new InvalidArgumentError('Give a number of seconds from 0 to 3600.');
}
