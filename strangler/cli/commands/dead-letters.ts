import { Option } from 'commander';
import type { Command } from 'commander';
import { patience, addCommand, REASON, YES } from '../add-command.ts';
import type { Run, Timed } from '../add-command.ts';
import { errorText } from '../../../chassis/index.ts';
import { count, plural } from '../../wording.ts';
import {
  askDeadLetter,
  askDeadLetters,
  decideDeadLetter,
  letterSourcesOf,
} from '../../../routing/index.ts';
import type {
  AskedLetter,
  OpenedLetter,
  LetterSource,
  LetterReport,
} from '../../../routing/index.ts';
import { ago, CommandError, confirmed, EXIT, table } from '../../../chassis/cli/index.ts';
import type { Intent, Output, OutputOptions } from '../../../chassis/cli/index.ts';
import { declarationsFor } from '../context.ts';
import type { Context } from '../context.ts';
import { KINDS } from '../dead-letter-kind.ts';
import type { Kind } from '../dead-letter-kind.ts';
import { step } from '../../engine/next-step.ts';
import { retry, showParked, skip, withParked } from './parked.ts';

/** A dead letter of any kind, as it is listed. */
interface Listed extends AskedLetter {
  /** Of a change. */
  readonly capability?: string;
  /** Of an event or a step: the application that has it. */
  readonly upstream?: string;
}

/** Who could not be asked, and why. */
interface Unasked {
  readonly source: string;
  readonly reason: string;
}

interface Listing {
  readonly listed: readonly Listed[];
  /** How many more there are. */
  readonly more: number;
  readonly unasked: readonly Unasked[];
}

interface ListOptions extends OutputOptions {
  readonly kind?: Kind;
}

interface KindOptions extends OutputOptions {
  readonly kind: Kind;
}

interface RetryOptions extends KindOptions, Timed {
  readonly yes: boolean;
}

interface DropOptions extends KindOptions {
  readonly yes: boolean;
}

const ID = "as the list shows it; of a change, its capability's name goes before it";

const kindOption = (does = 'what could not be done; has to be given'): Option =>
  new Option('--kind <kind>', does).choices(KINDS);

/** Declares `fig dead-letters`, for what was given up: changes, events of an application, steps of its sagas. */
export function addDeadLetters(program: Command, run: Run): void {
  const letters = program
    .command('dead-letters')
    .description(
      'manage dead letters, which wait for an operator: changes that could not be applied, events that a ' +
        'subscriber could not take, steps of an order that fail for good',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  fig dead-letters\n  fig dead-letters show --kind change payment 3\n' +
        '  fig dead-letters retry --kind step\n  fig dead-letters drop --kind event shipping:0190... --yes',
    );
  addList(letters, run);
  addShow(letters, run);
  addRetry(letters, run);
  addDrop(letters, run);
}

function addList(letters: Command, run: Run): void {
  addCommand(letters, 'list', {
    does:
      'list dead letters of all kinds, and why they are; needs no engine; exit 1 when a process or a ' +
      'database could not be asked',
    examples: ['fig dead-letters list', 'fig dead-letters list --kind event'],
    isDefault: true,
  })
    .argument('[capability]', 'only changes of this capability')
    .addOption(kindOption('only what could not be done of this kind'))
    .action((capability: string | undefined, options: ListOptions) =>
      run(options, (context, output) => listDeadLetters(context, output, capability, options)),
    );
}

function addShow(letters: Command, run: Run): void {
  addCommand(letters, 'show', {
    does: 'show one dead letter with what it is about, without secrets',
    examples: [
      'fig dead-letters show --kind event shipping:0190...',
      'fig dead-letters show --kind change payment 3',
    ],
  })
    .argument('<id...>', ID)
    .addOption(kindOption().makeOptionMandatory())
    .action((names: readonly string[], options: KindOptions) =>
      run(options, (context, output) => showDeadLetter(context, output, names, options)),
    );
}

function addRetry(letters: Command, run: Run): void {
  addCommand(letters, 'retry', {
    does: 'try again, after the cause is gone',
    examples: [
      'fig dead-letters retry --kind step place:0190...',
      'fig dead-letters retry --kind step',
      'fig dead-letters retry --kind change payment',
    ],
  })
    .argument('[id...]', `${ID}; all of them when left out`)
    .addOption(kindOption().makeOptionMandatory())
    .option(...YES, false)
    .option(...REASON)
    .addOption(patience('of changes: give up waiting; they stay in the feed', 10_000))
    .action((names: readonly string[], options: RetryOptions) =>
      run(options, (context, output) => retryDeadLetters(context, output, names, options)),
    );
}

function addDrop(letters: Command, run: Run): void {
  addCommand(letters, 'drop', {
    does:
      'go on without it: of a change, the other side goes without and a full comparison is demanded; an ' +
      'event counts as received; a step as refused, and what came before it is undone where that can be',
    examples: [
      'fig dead-letters drop --kind event shipping:0190... --yes',
      'fig dead-letters drop --kind change payment 3 --yes',
    ],
  })
    .argument('<id...>', ID)
    .addOption(kindOption().makeOptionMandatory())
    .option(...YES, false)
    .option(...REASON)
    .action((names: readonly string[], options: DropOptions) =>
      run(options, (context, output) => dropDeadLetter(context, output, names, options)),
    );
}

/**
 * Lists dead letters of all kinds, or of one.
 * @throws CommandError when somebody could not be asked, after what the others have told
 */
async function listDeadLetters(
  context: Context,
  output: Output,
  capability: string | undefined,
  { kind }: ListOptions,
): Promise<void> {
  if (capability !== undefined && kind !== undefined && kind !== 'change') {
    const message = `only changes belong to a capability; leave out ${capability}, or give --kind change`;
    throw new CommandError(
      EXIT.usage,
      'usage_kind',
      message,
      `fig dead-letters list --kind ${kind}`,
    );
  }
  const parts = [
    ...(kind === undefined || kind === 'change' ? [await changesOf(context, capability)] : []),
    ...(kind !== 'change' && capability === undefined ? [await askedOf(context, kind)] : []),
  ];
  const listed = parts.flatMap((part) => part.listed);
  const unasked = parts.flatMap((part) => part.unasked);
  const more = parts.reduce((sum, part) => sum + part.more, 0);
  const [first] = listed;
  const next = first ? [step(`fig dead-letters show ${namesOf(first)}`, 'what it is about')] : [];
  output.result(
    { deadLetters: listed, more, unasked },
    () => listText({ listed, more, unasked }),
    next,
  );
  if (unasked.length > 0) throw notAsked(unasked);
}

/** Shows one with its details. */
async function showDeadLetter(
  context: Context,
  output: Output,
  names: readonly string[],
  { kind }: KindOptions,
): Promise<void> {
  if (kind === 'change') {
    const { capability, id } = changeNamed(names);
    return showParked(context, output, capability, idOf(id, names));
  }
  const { teller, letter } = await find(context, kind, onlyName(names));
  const one = namesOf(letter);
  const next = [
    step(`fig dead-letters retry ${one}`, 'once the cause is gone'),
    step(`fig dead-letters drop ${one} --yes`, 'goes on without it'),
  ];
  output.result({ upstream: teller.upstream, ...letter }, () => showText(letter), next);
}

/**
 * Has one tried again, or all of a kind.
 * @param names none: all of the kind
 * @throws CommandError when that could not be asked for
 */
async function retryDeadLetters(
  context: Context,
  output: Output,
  names: readonly string[],
  options: RetryOptions,
): Promise<void> {
  const { kind, yes } = options;
  if (kind === 'change') {
    const { capability, id } = changeNamed(names);
    const chosen = id === undefined ? undefined : idOf(id, names);
    return retry(context, output, capability, chosen, options);
  }
  const one = names.length > 0 ? await find(context, kind, onlyName(names)) : undefined;
  await confirmed(output, {
    look: () => retryIntent(context, kind, one?.letter),
    yes,
    command: `fig dead-letters retry ${one ? namesOf(one.letter) : `--kind ${kind}`}`,
  });
  const retried = one ? await retryAll(context, [one]) : await retryKind(context, kind);
  output.result(
    { kind, retried },
    () => `${plural(retried, kind)} will be tried again`,
    retried > 0 ? [step(`fig dead-letters list --kind ${kind}`, 'shows what fails again')] : [],
  );
}

/** What the command would try again; null where there is nothing. @throws CommandError when an application does not answer */
async function retryIntent(
  context: Context,
  kind: Kind,
  one: AskedLetter | undefined,
): Promise<Intent | null> {
  if (one) return { question: `Try ${one.what} (${one.id}) again?` };
  const { listed, more, unasked } = await askedOf(context, kind);
  if (unasked.length > 0) throw notAsked(unasked);
  if (listed.length === 0) return null;
  return { question: `Try ${plural(listed.length + more, kind)} again?` };
}

/** Goes on without one. */
async function dropDeadLetter(
  context: Context,
  output: Output,
  names: readonly string[],
  options: DropOptions,
): Promise<void> {
  const { kind, yes } = options;
  if (kind === 'change') {
    const { capability, id } = changeNamed(names);
    return skip(context, output, capability, idOf(id, names), options);
  }
  const { teller, letter } = await find(context, kind, onlyName(names));
  const loss =
    kind === 'event'
      ? 'the subscriber never handles this event'
      : 'the step is not taken again, whatever became of it';
  await confirmed(output, {
    look: () => ({ question: `Drop ${letter.what} (${letter.id})? ${loss}.` }),
    yes,
    command: `fig dead-letters drop ${namesOf(letter)}`,
  });
  const problem = await decideDeadLetter(context, teller, letter, 'drop');
  if (problem === undefined) throw none(kind, letter.id);
  if (problem !== null) throw notDecided(teller, letter, problem);
  output.result({ kind, id: letter.id, what: letter.what }, () => `${letter.what} dropped`);
}

/** What is parked of each capability; the databases are read. */
async function changesOf(context: Context, capability: string | undefined): Promise<Listing> {
  const listed: Listed[] = [];
  const unasked: Unasked[] = [];
  for (const declaration of declarationsFor(context, capability)) {
    const name = declaration.mapping.capability;
    try {
      await withParked(declaration, async ({ aggregates }) => {
        for (const { id, root, reason, attempts, since } of aggregates) {
          const letter = { kind: 'change', id: String(id), what: root, reason, attempts, since };
          listed.push({ ...letter, capability: name });
        }
      });
    } catch (error) {
      const reason = errorText(error);
      unasked.push({ source: `databases of ${name}`, reason });
    }
  }
  return { listed, more: 0, unasked };
}

/** What applications tell. */
async function askedOf(context: Context, kind: Kind | undefined): Promise<Listing> {
  const told = await askDeadLetters(context, kind === undefined ? '' : `?kind=${kind}`);
  const listed = told.flatMap((one) =>
    one.problem === null
      ? one.deadLetters.map((letter) => ({ ...letter, upstream: one.upstream }))
      : [],
  );
  const counts = told.flatMap((one) => (one.problem === null ? Object.entries(one.counts) : []));
  const all = counts
    .filter(([of]) => kind === undefined || of === kind)
    .reduce((sum, [, value]) => sum + value, 0);
  return { listed, more: Math.max(0, all - listed.length), unasked: unaskedOf(told) };
}

function unaskedOf(told: readonly LetterReport[]): readonly Unasked[] {
  return told.flatMap(({ upstream, server, problem }) =>
    problem === null ? [] : [{ source: `${upstream} (${server.url})`, reason: problem }],
  );
}

interface Located<Letter> {
  readonly teller: LetterSource;
  readonly letter: Letter;
}

/** @throws CommandError when nobody has it, or one who may have it can't be asked */
async function find(context: Context, kind: Kind, id: string): Promise<Located<OpenedLetter>> {
  const unasked: Unasked[] = [];
  for (const teller of letterSourcesOf(context)) {
    const found = await askDeadLetter(context, teller, kind, id);
    if (found === undefined) continue;
    if (!('problem' in found)) return { teller, letter: found };
    unasked.push({ source: `${teller.upstream} (${teller.server.url})`, reason: found.problem });
  }
  if (unasked.length > 0) throw notAsked(unasked);
  throw none(kind, id);
}

/** Retries all of a kind. Applications list some at a time, and only once more what has failed again. */
async function retryKind(context: Context, kind: Kind): Promise<number> {
  const seen = new Set<string>();
  let retried = 0;
  for (;;) {
    const listed = await allOf(context, kind);
    const fresh = listed.filter(
      ({ teller, letter }) => !seen.has(`${teller.upstream} ${letter.id}`),
    );
    if (fresh.length === 0) return retried;
    for (const { teller, letter } of fresh) seen.add(`${teller.upstream} ${letter.id}`);
    retried += await retryAll(context, fresh);
  }
}

/** @returns how many there still were */
async function retryAll(
  context: Context,
  chosen: readonly Located<Pick<AskedLetter, 'kind' | 'id'>>[],
): Promise<number> {
  let retried = 0;
  for (const { teller, letter } of chosen) {
    const problem = await decideDeadLetter(context, teller, letter, 'retry');
    if (typeof problem === 'string') throw notDecided(teller, letter, problem);
    if (problem === null) retried += 1;
  }
  return retried;
}

/** @throws CommandError when one can't be asked: "all" would not be true */
async function allOf(context: Context, kind: Kind): Promise<readonly Located<AskedLetter>[]> {
  const told = await askDeadLetters(context, `?kind=${kind}`);
  const unasked = unaskedOf(told);
  if (unasked.length > 0) throw notAsked(unasked);
  return told.flatMap((one) =>
    one.problem === null ? one.deadLetters.map((letter) => ({ teller: one, letter })) : [],
  );
}

function changeNamed(names: readonly string[]): { capability: string; id: string | undefined } {
  const [capability, id, ...more] = names;
  if (capability !== undefined && more.length === 0) return { capability, id };
  const message = 'a change is named by its capability and its id';
  const next = 'fig dead-letters list --kind change';
  throw new CommandError(EXIT.usage, 'usage_id', message, next);
}

/** The number of a change. */
function idOf(id: string | undefined, names: readonly string[]): number {
  const value = Number(id);
  if (Number.isInteger(value) && value > 0) return value;
  const message = `a change is named by its capability and its id, a whole number: not "${names.join(' ')}"`;
  const next = 'fig dead-letters list --kind change';
  throw new CommandError(EXIT.usage, 'usage_id', message, next);
}

function onlyName(names: readonly string[]): string {
  const [id, ...more] = names;
  if (id !== undefined && more.length === 0) return id;
  const message = 'give one id, as the list shows it';
  throw new CommandError(EXIT.usage, 'usage_id', message, 'fig dead-letters list');
}

/** The words that name it for show, retry and drop. */
function namesOf({ kind, capability, id }: Listed): string {
  return [`--kind ${kind}`, ...(capability === undefined ? [] : [capability]), id].join(' ');
}

function none(kind: string, id: string): CommandError {
  const message = `there is no dead letter of kind ${kind} with the id ${id}`;
  const next = `fig dead-letters list --kind ${kind}`;
  return new CommandError(EXIT.usage, 'no_dead_letter', message, next);
}

function notAsked(unasked: readonly Unasked[]): CommandError {
  const list = unasked.map(({ source, reason }) => `${source}: ${reason}`).join('; ');
  const message = `these did not answer: ${list}`;
  return new CommandError(EXIT.failed, 'not_asked', message, 'fig status');
}

function notDecided(
  { upstream, server }: LetterSource,
  { id }: Pick<AskedLetter, 'id'>,
  problem: string,
): CommandError {
  const message = `the outcome of ${id} is unknown: ${upstream} (${server.url}) was asked, and ${problem}`;
  return new CommandError(EXIT.failed, 'not_decided', message, 'fig dead-letters list');
}

function listText({ listed, more, unasked }: Listing): string {
  const rows = listed.map(({ kind, capability, upstream, id, what, since, reason }) => [
    kind,
    capability ?? upstream ?? '',
    id,
    what,
    ago(Date.now() - since),
    reason,
  ]);
  const [first] = listed;
  const missing = unasked.map(({ source, reason }) => `not known: ${source}: ${reason}`);
  if (!first) return missing.length > 0 ? missing.join('\n') : 'there are no dead letters';
  const remedy = `once the cause is gone: fig dead-letters retry ${namesOf(first)}`;
  const rest = more > 0 ? [`and ${count(more)} more`] : [];
  return [table(rows), ...rest, ...missing, remedy].join('\n');
}

function showText({ id, what, reason, attempts, details }: OpenedLetter): string {
  const lines = JSON.stringify(details, null, 2)
    .split('\n')
    .map((line) => `  ${line}`);
  return [`${id}  ${what}  tried ${plural(attempts, 'time')}: ${reason}`, ...lines].join('\n');
}
