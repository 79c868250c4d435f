import { setMaxListeners } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { createProgress, EXIT_CODES, worst } from '../../../rehearsal/index.ts';
import type { Progress, Verdict } from '../../../rehearsal/index.ts';
import type { System } from '../../../system/index.ts';
import { keepLastLines } from '../../support/index.ts';

export interface RunContext {
  /** Decides everything that the run decides. */
  readonly seed: number;
  readonly progress: Progress;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Whether the system keeps its data in PostgreSQL. */
  readonly postgres: boolean;
  /** How many handovers a run of a command that `handsOver` makes; its own number when absent. */
  readonly handovers?: number | undefined;
  /** What was chosen of the command's `choices` of that name; all of them unless some were. */
  chosen(name: string): readonly string[];
  /** To be given the run's system: what it logged is shown with a verdict that is not good. */
  readonly onStart: (system: System) => void;
}

export interface RunReport {
  /** What was promised and is not so; empty when all is well. */
  readonly broken: readonly string[];
  /** Why a run in which nothing broke shows nothing either. */
  readonly unproven?: string;
  /** What the run did and saw. */
  readonly facts: Readonly<Record<string, number | string>>;
  /** What the file is told of each part of the run, and the screen as a table. */
  readonly cells?: readonly object[];
  readonly table?: string;
}

/** A run in which one of these never happened shows nothing. */
export function unprovenWithout(
  counts: Readonly<Record<string, number>>,
): Pick<RunReport, 'unproven'> {
  const missing = Object.keys(counts).filter((what) => counts[what] === 0);
  return missing.length === 0 ? {} : { unproven: `there were no ${missing.join(' and no ')}` };
}

/** Thrown by what can't go on because something that was promised is not so. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise';
}

export interface ChaosCommand {
  /** The npm script, such as `chaos:feed`. */
  readonly name: string;
  readonly description: string;
  /** Whether it can keep the data in PostgreSQL. */
  readonly onPostgres?: boolean;
  /** Whether it makes handovers that can be counted. */
  readonly handsOver?: boolean;
  /** How many runs there are unless a number is given; 5 when absent. */
  readonly runs?: number;
  /** What a run can be limited to: an option for each, and the words that it takes. */
  readonly choices?: Readonly<Record<string, readonly string[]>>;
  /** What is said of runs that kept every promise; that nothing was lost when absent. */
  readonly whenKept?: string;
  run(context: RunContext): Promise<RunReport>;
}

type Streams = Pick<NodeJS.Process, 'stdout' | 'stderr'>;

interface Options {
  readonly runs: number;
  readonly seed: number;
  readonly json?: string;
  readonly postgres?: boolean;
  readonly handovers?: number;
  /** By the name of the choice. */
  readonly chosen: Readonly<Record<string, readonly string[]>>;
}

type Outcome = RunReport & {
  readonly verdict: Verdict;
  readonly seed: number;
  readonly seconds: number;
  /** What each process logged last, unless every promise was kept. */
  readonly logs?: string;
};

function whole(atLeast: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (Number.isSafeInteger(number) && number >= atLeast) return number;
    throw new InvalidArgumentError(`give a whole number of ${atLeast} or more.`);
  };
}

function parse(
  {
    name,
    description,
    onPostgres = false,
    handsOver = false,
    runs = 5,
    choices = {},
  }: ChaosCommand,
  words: readonly string[],
  { stdout, stderr }: Streams,
): Options {
  const firstWords = Object.entries(choices).map(([choice, [word = '']]) => ` --${choice} ${word}`);
  const chosenExample =
    firstWords.length === 0 ? '' : `\n  npm run ${name} --${firstWords.join('')}`;
  const help = `
Each run brings up a system of its own and takes its decisions from its seed: the first has the one
given, the next the one after.

Examples:
  npm run ${name}
  npm run ${name} -- --runs 50 --seed 1 --json report.json
  npm run ${name} -- --runs 1 --seed 17${onPostgres ? `\n  npm run ${name} -- --runs 2 --postgres` : ''}${chosenExample}

A run keeps every promise, breaks one (something is lost, doubled, stale, or never comes to rest), or is
inconclusive: its system was not up in time, a command never got through, or nothing happened in it.

Exit: 0 when all runs kept every promise, 1 when one broke a promise, 3 when none did and one was
inconclusive, 2 for wrong usage, 130 after Ctrl-C.`;
  const command = new Command(name);
  if (onPostgres) {
    command.option('--postgres', 'keep the data in a PostgreSQL of its own instead of in files');
  }
  command
    .description(description)
    .option('--runs <n>', 'how many runs', whole(1), runs)
    .option('--seed <n>', 'the seed of the first run', whole(0), 1)
    .option('--json <file>', 'write what every run did to a file');
  if (handsOver)
    command.option('--handovers <n>', 'how many handovers a run makes, if not 6', whole(1));
  for (const [choice, all] of Object.entries(choices)) {
    command.addOption(
      new Option(`--${choice} <name...>`, `only these: each ${choice} when left out`).choices(all),
    );
  }
  const options = command
    .addHelpText('after', help)
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
    })
    .exitOverride()
    .parse([...words], { from: 'user' })
    .opts<Omit<Options, 'chosen'> & Record<string, readonly string[] | undefined>>();
  const chosen = Object.keys(choices).flatMap((choice) => {
    const names = options[choice];
    return names === undefined ? [] : [[choice, names] as const];
  });
  return { ...options, chosen: Object.fromEntries(chosen) };
}

/**
 * `npm run chaos:... -- --runs N --seed S [--json FILE]`: progress on stderr, the verdict on stdout.
 * @returns the exit code
 */
export async function chaosCommand(
  command: ChaosCommand,
  words: readonly string[],
  streams: Streams = process,
): Promise<number> {
  const stop = new AbortController();
  // Whoever waits for anything listens, and much is waited for.
  setMaxListeners(0, stop.signal);
  const progress = createProgress(streams.stderr);
  const interrupt = (): void => {
    progress.say('interrupted: taking the system down');
    stop.abort(new Error('interrupted'));
  };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    const options = parse(command, words, streams);
    const outcomes = await runAll(command, options, progress, stop.signal);
    if (options.json !== undefined) {
      const runs = outcomes.map(({ table: _shown, ...outcome }) => outcome);
      await writeFile(options.json, `${JSON.stringify({ runs }, null, 2)}\n`);
    }
    streams.stdout.write(verdictText(command, outcomes, options));
    if (stop.signal.aborted) return 130;
    return EXIT_CODES[worst(outcomes.map((outcome) => outcome.verdict))];
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  } finally {
    process.removeListener('SIGINT', interrupt);
    process.removeListener('SIGTERM', interrupt);
  }
}

async function runAll(
  command: ChaosCommand,
  options: Options,
  progress: Progress,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const { runs, seed: first, postgres = false, handovers } = options;
  const outcomes: Outcome[] = [];
  const chosen = (name: string): readonly string[] =>
    options.chosen[name] ?? command.choices?.[name] ?? [];
  for (let index = 0; index < runs && !signal.aborted; index += 1) {
    const seed = first + index;
    progress.say(`Run ${index + 1} of ${runs}, seed ${seed}`);
    const started = performance.now();
    let logs = (): string | undefined => undefined;
    const onStart = (system: System): void => {
      logs = keepLastLines(system);
    };
    const report = await command
      .run({ seed, progress, signal, postgres, handovers, onStart, chosen })
      .catch(notCarriedOut);
    if (signal.aborted) break;
    const verdict = verdictOf(report);
    const said = verdict === 'kept' ? undefined : logs();
    const outcome: Outcome = {
      seed,
      seconds: seconds(performance.now() - started),
      verdict,
      ...report,
      ...(said === undefined ? {} : { logs: said }),
    };
    outcomes.push(outcome);
    progress.say(outcomeText(command, outcome, options));
  }
  progress.end();
  return outcomes;
}

function verdictOf({ broken, unproven }: RunReport): Verdict {
  if (broken.length > 0) return 'broke';
  return unproven === undefined ? 'kept' : 'inconclusive';
}

function notCarriedOut(error: unknown): RunReport {
  if (error instanceof BrokenPromise) return { broken: [error.message], facts: {} };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { broken: [], unproven: text, facts: {} };
}

const seconds = (ms: number): number => Math.round(ms / 100) / 10;

function outcomeText(command: ChaosCommand, outcome: Outcome, options: Options): string {
  const { seconds: took, facts, broken, unproven, verdict, logs } = outcome;
  const said = Object.entries(facts).map(([what, value]) => `${what} ${value}`);
  const about = said.length === 0 ? '' : `: ${said.join(', ')}`;
  if (verdict === 'kept') return `  ${keptText(command)} in ${took} s${about}`;
  return [
    `  ${verdict === 'broke' ? 'BROKEN' : 'INCONCLUSIVE'} after ${took} s${about}`,
    ...[...broken, ...(unproven === undefined ? [] : [unproven])].map((text) => `  - ${text}`),
    ...(logs === undefined ? [] : [logs]),
    `  again: ${again(command, outcome, options)}`,
  ].join('\n');
}

function again(
  { name }: ChaosCommand,
  { seed }: Outcome,
  { postgres, handovers, chosen }: Options,
): string {
  const size = handovers === undefined ? '' : ` --handovers ${handovers}`;
  const only = Object.entries(chosen)
    .map(([choice, words]) => ` --${choice} ${words.map(quoted).join(' ')}`)
    .join('');
  return `npm run ${name} -- --runs 1 --seed ${seed}${size}${postgres ? ' --postgres' : ''}${only}`;
}

function verdictText(
  command: ChaosCommand,
  outcomes: readonly Outcome[],
  options: Options,
): string {
  const having = (verdict: Verdict) => outcomes.filter((outcome) => outcome.verdict === verdict);
  const [kept, broke, inconclusive] = [having('kept'), having('broke'), having('inconclusive')];
  const counts = [
    ...(broke.length === 0 ? [] : [`${broke.length} broke a promise`]),
    ...(inconclusive.length === 0 ? [] : [`${inconclusive.length} inconclusive`]),
    ...(kept.length === 0 ? [] : [`${kept.length} ${command.whenKept ? 'kept' : 'lost nothing'}`]),
  ];
  const all = kept.length === outcomes.length ? keptText(command) : counts.join(', ');
  const lines = [...broke, ...inconclusive].map(
    (outcome) => `again: ${again(command, outcome, options)}\n`,
  );
  const tables = outcomes.map(({ table = '' }) => table);
  return `${tables.join('')}${outcomes.length} runs: ${all}\n${lines.join('')}`;
}

function keptText({ whenKept = 'nothing was lost' }: ChaosCommand): string {
  return whenKept;
}

/** As a shell takes it. */
function quoted(word: string): string {
  return word.includes(' ') ? `'${word}'` : word;
}
