import type { Command } from 'commander';
import { ALL, parsePositive, addCommand } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import { duration } from '../../../chassis/text/index.ts';
import { handoversOf, openEachSide, readIfInstalled } from '../../engine/index.ts';
import type { DataDeclaration, HandoverView, UnreadSide } from '../../engine/index.ts';
import type { CompletionRecord } from '../../ownership/completion/index.ts';
import type { SideDatabase } from '../../sides/side-database.ts';
import type { SideName } from '../../../routing/side.ts';
import type { JournalEntry } from '../../ledger/store.ts';
import { declarationsFor } from '../context.ts';
import type { Context } from '../context.ts';
import { CommandError, EXIT, table } from '../../../chassis/cli/index.ts';
import type { Output, OutputOptions } from '../../../chassis/cli/index.ts';
import { keysText } from '../keys-text.ts';

interface JournalOptions extends OutputOptions {
  readonly limit: number;
}

/** Declares `fig journal`. */
export function addJournal(program: Command, run: Run): void {
  addCommand(program, 'journal', {
    does: 'tell the newest handovers step by step; needs no engine',
    examples: ['fig journal', 'fig journal inventory --limit 1'],
  })
    .argument('[capability]', ALL)
    .option('--limit <count>', 'how many', parsePositive, 5)
    .action((capability: string | undefined, options: JournalOptions) =>
      run(options, (context, output) => journal(context, output, capability, options)),
    );
}

/** The last step of a migration, and how it went; only the newest is told. */
interface CompletionView extends CompletionRecord {
  readonly steps: readonly JournalEntry[];
}

interface JournalReport {
  readonly handovers: readonly HandoverView[];
  readonly completions: readonly CompletionView[];
  /** What these keep is not among them. */
  readonly unread: readonly UnreadSide[];
}

/**
 * Tells the newest handovers and completions step by step, straight from the databases; no engine is
 * needed.
 * @throws CommandError when a side can't be read, after what the others keep is printed
 */
async function journal(
  context: Context,
  output: Output,
  capability: string | undefined,
  { limit }: JournalOptions,
): Promise<void> {
  const declarations = declarationsFor(context, capability);
  const all = await Promise.all(declarations.map((one) => read(one, limit)));
  const handovers = newest(
    all.flatMap((one) => one.handovers),
    limit,
  );
  const completions = newest(
    all.flatMap((one) => one.completions),
    limit,
  );
  const unread = all.flatMap((one) => one.unread);
  output.result({ handovers, completions, unread }, () => {
    const texts = [
      ...handovers.map((one) => ({ at: one.startedAt, text: handoverText(one) })),
      ...completions.map((one) => ({ at: one.startedAt, text: completionText(one) })),
    ].sort((left, right) => left.at - right.at);
    const told = texts.map(({ text }) => text);
    if (unread.length > 0) told.push(unread.map(unreadText).join('\n'));
    return told.length === 0 ? 'no handovers yet' : told.join('\n\n');
  });
  if (unread.length === 0) return;
  const message = 'a journal could not be read, and what it keeps is missing above';
  throw new CommandError(EXIT.failed, 'journal_unread', message, 'fig doctor');
}

function unreadText({ capability, side, reason }: UnreadSide): string {
  return `${capability}  the journal of ${side} can't be read: ${reason}`;
}

function newest<T extends { readonly startedAt: number }>(all: readonly T[], limit: number): T[] {
  return all.toSorted((left, right) => left.startedAt - right.startedAt).slice(-limit);
}

async function read(declaration: DataDeclaration, limit: number): Promise<JournalReport> {
  const { capability } = declaration.mapping;
  const sides = openEachSide(declaration);
  const reports = [
    await readSide(capability, 'legacy', sides.legacy, limit),
    await readSide(capability, 'extracted', sides.extracted, limit),
  ];
  return {
    handovers: reports.flatMap((one) => one.handovers),
    completions: reports.flatMap((one) => one.completions),
    unread: reports.flatMap((one) => one.unread),
  };
}

const NOTHING: JournalReport = { handovers: [], completions: [], unread: [] };

async function readSide(
  capability: string,
  side: SideName,
  database: SideDatabase | Error,
  limit: number,
): Promise<JournalReport> {
  try {
    const inside = (one: SideDatabase): Promise<JournalReport> => readDatabase(one, limit);
    const { found, unread } = await readIfInstalled(capability, side, database, inside);
    return { ...(found ?? NOTHING), unread };
  } finally {
    if (!(database instanceof Error)) await database.close();
  }
}

async function readDatabase(database: SideDatabase, limit: number): Promise<JournalReport> {
  const handovers = await handoversOf(database, limit);
  const completion = await database.retirement.completion();
  if (!completion) return { ...NOTHING, handovers };
  const steps = await database.store.journal(completion.id);
  return { ...NOTHING, handovers, completions: [{ ...completion, steps }] };
}

function handoverText(record: HandoverView): string {
  const { capability, from, to, epoch, position, outcome, reason, startedAt, holdMs } = record;
  const end = outcome === 'aborted' ? `taken back: ${reason ?? ''}` : (outcome ?? 'under way');
  const hold = holdMs === null ? '' : `, hold ${duration(holdMs)}`;
  const at = new Date(startedAt).toISOString();
  const upto = position === null ? '' : `, position ${position}`;
  const head = `${capability}  ${from} -> ${to}  epoch ${epoch}${upto}  ${at}  ${end}${hold}`;
  const whose = record.keys === null ? '' : `\n  ${keysText(record.keys)}`;
  return withSteps(head + whose, startedAt, record.steps);
}

function completionText({ capability, outcome, reason, startedAt, steps }: CompletionView): string {
  const end = outcome === 'aborted' ? `given up: ${reason ?? ''}` : (outcome ?? 'under way');
  const head = `${capability}  complete  ${new Date(startedAt).toISOString()}  ${end}`;
  return withSteps(head, startedAt, steps);
}

function withSteps(head: string, startedAt: number, steps: readonly JournalEntry[]): string {
  const lines = triesOf(steps).map(({ first, last, count }) => {
    const again = count === 1 ? null : `${count} times, until +${last.at - startedAt} ms`;
    const told = [first.detail, again].filter((text) => text !== null).join(', ');
    return [`+${first.at - startedAt} ms`, first.step, told];
  });
  return lines.length === 0 ? head : `${head}\n${table(lines, '  ')}`;
}

interface Tries {
  readonly first: JournalEntry;
  readonly last: JournalEntry;
  readonly count: number;
}

/** A step that had to be tried again and again is told once. */
function triesOf(steps: readonly JournalEntry[]): Tries[] {
  const tries: Tries[] = [];
  for (const entry of steps) {
    const before = tries.at(-1);
    const again = before?.first.step === entry.step && before.first.detail === entry.detail;
    if (again) tries[tries.length - 1] = { ...before, last: entry, count: before.count + 1 };
    else tries.push({ first: entry, last: entry, count: 1 });
  }
  return tries;
}
