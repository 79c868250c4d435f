import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { againstOther, checkOther, NotComparable } from './against.ts';
import type { Comparable } from './against.ts';
import { describeMachine } from './machine.ts';
import { publish } from './report.ts';
import type { Result } from './result.ts';

export interface BenchContext<T> {
  readonly options: T;
  /** Whether rivals are measured, too; without them there are figures, but few ratios. */
  readonly rivals: boolean;
  /** A folder of its own, which is removed afterwards. */
  readonly folder: string;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Tells of progress. */
  readonly say: (text: string) => void;
}

export interface BenchFindings {
  readonly results: readonly Result[];
  /** What it measured with, beside the machine. */
  readonly tools?: Readonly<Record<string, string>>;
}

export interface Bench<T> extends Comparable {
  readonly description: string;
  /** How long it takes on two cores, such as `4 minutes`. */
  readonly takes: string;
  /** Beside those that every benchmark has. */
  readonly options?: readonly Option[];
  readonly examples?: readonly string[];
  /** How long it may take to stop by itself once it is interrupted, in ms; left out: not at all. */
  readonly windDownMs?: number;
  run(context: BenchContext<T>): Promise<BenchFindings>;
}

interface Common {
  readonly json?: string;
  readonly rivals: boolean;
  readonly against?: string;
  readonly pairs: number;
}

interface Given<T> {
  readonly options: T;
  /** Those of the benchmark's own that were given and are not only its defaults. */
  readonly chosen: Readonly<Record<string, unknown>>;
  readonly common: Common;
}

/** Of an odd number of pairs the middle one is one of them; of seven, the extremes are a 98 % interval. */
const PAIRS = 7;
const MISSED = 1;
const USAGE = 2;
const FAILED = 3;
const INTERRUPTED = 130;

/** A number that may be given as an option. */
export function number(
  flags: string,
  description: string,
  { byDefault, of }: { readonly byDefault?: number; readonly of: (value: number) => boolean },
): Option {
  const option = new Option(flags, description).argParser((value: string) => {
    const given = Number(value);
    if (value.trim() !== '' && of(given)) return given;
    throw new InvalidArgumentError(`give ${description}, such as ${byDefault ?? 200}.`);
  });
  return byDefault === undefined ? option : option.default(byDefault);
}

export const positive = (value: number): boolean => value > 0;
export const whole = (value: number): boolean => Number.isInteger(value) && value > 0;

/**
 * Runs a benchmark as a command of its own: prints a table, keeps the results where `--json` says.
 * Its exit code is 0 when every goal was met, 1 when one was not, 2 for wrong usage, 3 when it could not
 * measure, 130 after Ctrl-C.
 */
export async function runBench<T = object>(bench: Bench<T>): Promise<void> {
  const code = await codeOf(bench);
  // What is still at work then has nothing left to work for; its children end with this process.
  if (code === INTERRUPTED || code === FAILED) process.exit(code);
  process.exitCode = code;
}

async function codeOf<T>(bench: Bench<T>): Promise<number> {
  const stop = new AbortController();
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  let folder: string | undefined;
  try {
    const given = parse(bench);
    checkOther(bench, given.common.against);
    stopOnSignals(stop);
    folder = await mkdtemp(join(tmpdir(), 'fig-bench-'));
    const { results, tools } = await findings(bench, given, { folder, signal: stop.signal, say });
    const report = { machine: describeMachine(tools), results };
    return (await publish(report, given.common.json)) ? 0 : MISSED;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    if (stop.signal.aborted) {
      say((stop.signal.reason as Error).message);
      return INTERRUPTED;
    }
    say(`${bench.name} could not measure: ${reasonOf(error)}`);
    return error instanceof NotComparable ? USAGE : FAILED;
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof NotComparable) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function stopOnSignals(stop: AbortController): void {
  const end = (why: string) => (): void => stop.abort(new Error(`${why}: stopped`));
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, end(name));
  // A turn of a comparison, whose parent is gone.
  process.once('disconnect', end('the comparison ended'));
  process.channel?.unref();
}

function findings<T>(
  bench: Bench<T>,
  { options, chosen, common }: Given<T>,
  context: Omit<BenchContext<T>, 'options' | 'rivals'>,
): Promise<BenchFindings> {
  const { signal } = context;
  const { against, pairs, rivals } = common;
  if (against === undefined) {
    const running = bench.run({ ...context, options, rivals });
    return unlessInterrupted(running, signal, bench.windDownMs);
  }
  const running = againstOther(bench, { ...context, other: against, pairs, options: chosen });
  return unlessInterrupted(running, signal, (bench.windDownMs ?? 0) + 5_000);
}

async function unlessInterrupted<T>(
  running: Promise<T>,
  signal: AbortSignal,
  windDownMs = 0,
): Promise<T> {
  const interrupted = new Promise<never>((_resolve, reject) => {
    const give = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', () => setTimeout(give, windDownMs), { once: true });
  });
  return Promise.race([running, interrupted]);
}

function parse<T>(bench: Bench<T>): Given<T> {
  const { name, description, options = [] } = bench;
  const command = new Command(`npm run ${name} --`)
    .description(description)
    .option('--json <file>', 'write machine and results to a file')
    .option('--no-rivals', 'leave out what is only measured to compare with, and goals with it')
    .option('--against <dir>', 'measure the build in this clone of the project, too, in turn')
    .addOption(
      number('--pairs <n>', 'with --against: how many turns each has', {
        byDefault: PAIRS,
        of: whole,
      }),
    )
    .addHelpText('after', helpAfter(bench))
    .exitOverride();
  for (const option of options) command.addOption(option);
  const all = command.parse().opts<Common & Record<string, unknown>>();
  const { json, rivals, against, pairs, ...own } = all;
  const chosen = Object.entries(own).filter(
    ([key]) => command.getOptionValueSource(key) !== 'default',
  );
  return {
    options: own as T,
    chosen: Object.fromEntries(chosen),
    common: {
      rivals,
      pairs,
      ...(json === undefined ? {} : { json }),
      ...(against === undefined ? {} : { against }),
    },
  };
}

function helpAfter<T>({ name, takes, turn, examples = [] }: Bench<T>): string {
  const lines = ['', ...examples, '--json report.json', '--against ../fig-before'];
  return `
It takes ${takes} on two cores; with --against, ${turn.takes} for each pair. A pair is one turn of each
build, both by the benchmark of their own clone; a goal there is missed only when, after six
pairs or more, the whole interval of the ratio lies beyond it.

Examples:
${lines.map((words) => `  npm run ${name}${words && ` -- ${words}`}`).join('\n')}

Exit: 0 when every goal was met, 1 when one was missed, 2 for wrong usage, 3 when it could not measure,
130 after Ctrl-C.`;
}
