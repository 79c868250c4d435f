import { existsSync } from 'node:fs';
import { Option } from 'commander';
import type { Command } from 'commander';
import { auditFile, AuditTrail, entriesOf } from '../../../chassis/audit/index.ts';
import type { AuditEntry, AuditOutcome } from '../../../chassis/audit/index.ts';
import { askAsOperator, START_COMMAND } from '../../../chassis/index.ts';
import { duration } from '../../../chassis/text/index.ts';
import { plural } from '../../wording.ts';
import { addCommand, ALL, parseMoment, parsePositive } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import { adminUrlsOf } from '../context.ts';
import type { Context } from '../context.ts';
import { CommandError, EXIT } from '../../../chassis/cli/index.ts';
import type { Output, OutputOptions } from '../../../chassis/cli/index.ts';
import { known } from '../suggest.ts';

interface AuditFilter extends OutputOptions {
  readonly since?: number;
  readonly who?: string;
  readonly outcome?: AuditOutcome | 'open';
  readonly limit: number;
  readonly evidence: boolean;
}

const MOST = 10_000;

/** Declares `fig audit`. */
export function addAudit(program: Command, run: Run): void {
  addCommand(program, 'audit', {
    does: 'tell who asked for what, from where, when and why, and what came of it; needs no engine',
    examples: [
      'fig audit',
      'fig audit payment --since 7d',
      'fig audit --outcome refused --who anna',
      'fig audit --limit 1 --evidence    with the gates as they were, and the answer',
    ],
  })
    .argument('[capability]', ALL)
    .option('--since <time>', 'only what was asked since then: 90m, 2h, 7d or a date', parseMoment)
    .option('--who <name>', 'only what operators asked for whose names hold this')
    .addOption(
      new Option(
        '--outcome <outcome>',
        'only what ended like this; open: no end is recorded',
      ).choices(['done', 'refused', 'failed', 'open']),
    )
    .option('--limit <count>', 'how many, the newest first', parsePositive, 20)
    .option('--evidence', 'also what was known before, and what was answered', false)
    .action((capability: string | undefined, options: AuditFilter) =>
      run(options, (context, output) => audit(context, output, capability, options)),
    );
}

async function audit(
  context: Context,
  output: Output,
  capability: string | undefined,
  options: AuditFilter,
): Promise<void> {
  const name =
    capability === undefined ? undefined : known('capability', capability, context.capabilities);
  const { entries, damaged } = await readEntries(context);
  const wanted = entries.filter((entry) => isWanted(entry, name, options));
  const shown = wanted.slice(0, options.limit);
  output.result({ entries: shown, matching: wanted.length, damaged }, () =>
    [
      ...(shown.length === 0 ? ['nothing of that kind is recorded'] : []),
      ...shown.map((entry) => textOf(entry, options.evidence, output)),
      ...(wanted.length > shown.length
        ? [`… ${wanted.length - shown.length} older; --limit ${wanted.length} shows all`]
        : []),
      ...(damaged > 0 ? [`${plural(damaged, 'line')} of the trail can't be read`] : []),
    ].join('\n'),
  );
}

function isWanted(
  entry: AuditEntry,
  capability: string | undefined,
  { since = 0, who = '', outcome }: AuditFilter,
): boolean {
  return (
    entry.at >= since &&
    entry.who.includes(who) &&
    (capability === undefined || entry.capability === capability) &&
    (outcome === undefined || (entry.outcome ?? 'open') === outcome)
  );
}

interface Found {
  readonly entries: readonly AuditEntry[];
  readonly damaged: number;
}

/** From the file, which needs no process; else from a facade that has it. @throws CommandError where neither is there */
async function readEntries(context: Context): Promise<Found> {
  const file = auditFile(context.env);
  if (existsSync(file)) {
    const { events, damaged } = await new AuditTrail(file, () => undefined).read();
    return { entries: entriesOf(events), damaged };
  }
  if (context.adminUrls.length === 0) return { entries: [], damaged: 0 };
  for (const url of adminUrlsOf(context)) {
    const answer = await askAsOperator(context, url, `/audit?limit=${MOST}`);
    if (answer?.status === 200) return answer.body as Found;
  }
  const message = `there is no ${file}, and no facade answers at ${adminUrlsOf(context).join(', ')}`;
  throw new CommandError(EXIT.failed, 'audit_away', message, START_COMMAND);
}

function textOf(entry: AuditEntry, evidence: boolean, { paint }: Output): string {
  const { at, endedAt, who, from, via, action, outcome, code, detail, reason, steps } = entry;
  const took = endedAt === null ? '' : ` in ${duration(endedAt - at)}`;
  const colour = outcome === 'done' ? 'green' : outcome === null ? 'yellow' : 'red';
  const when = new Date(at).toISOString();
  return [
    `${when}  ${paint('bold', action)}`,
    `  ${paint(colour, outcome ?? 'no end is recorded')}${took}${code === null ? '' : ` (${code})`}`,
    ...(detail === null ? [] : [`  ${detail}`]),
    `  by ${who} from ${from}, by ${via}`,
    ...(reason === null ? [] : [`  why: ${reason}`]),
    ...(evidence ? steps.flatMap(evidenceOf) : []),
  ].join('\n');
}

function evidenceOf({ by, action, order, before, after }: AuditEntry['steps'][number]): string[] {
  const parts = { asked: order, before, after };
  // A command's own name begins with the program that recorded it.
  const step = action.startsWith(`${by} `) ? action : `${by} ${action}`;
  return Object.entries(parts).flatMap(([what, value]) =>
    value === null ? [] : [`  ${step}, ${what}: ${JSON.stringify(value)}`],
  );
}
