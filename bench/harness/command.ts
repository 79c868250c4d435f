import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { describeMachine } from './machine.ts';
import { publish } from './report.ts';
import type { Result } from './result.ts';

export interface BenchContext<T> {
  readonly options: T;
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

export interface Bench<T> {
  /** The npm script, such as `bench:feed`. */
  readonly name: string;
  readonly description: string;
  /** Beside `--json FILE`, with which every benchmark keeps its results. */
  readonly options?: readonly Option[];
  readonly examples?: readonly string[];
  /** How long it may take to stop by itself once it is interrupted, in ms; left out: not at all. */
  readonly windDownMs?: number;
  run(context: BenchContext<T>): Promise<BenchFindings>;
}

const USAGE = 2;
const INTERRUPTED = 130;

/** A number that may be given as an option. */
export function number(
  flags: string,
  description: string,
  { byDefault, of }: { readonly byDefault: number; readonly of: (value: number) => boolean },
): Option {
  return new Option(flags, description).default(byDefault).argParser((value: string) => {
    const given = Number(value);
    if (value.trim() !== '' && of(given)) return given;
    throw new InvalidArgumentError(`give ${description}, such as ${byDefault}.`);
  });
}

/**
 * Runs a benchmark as a command of its own: prints a table, keeps the results where `--json` says.
 * Its exit code is 0 when every goal was met, 1 when one was not, 2 for wrong usage, 130 after Ctrl-C.
 */
export async function runBench<T = object>(bench: Bench<T>): Promise<void> {
  const code = await codeOf(bench);
  // What is still at work then has nothing left to work for; its children end with this process.
  if (code === INTERRUPTED) process.exit(code);
  process.exitCode = code;
}

async function codeOf<T>(bench: Bench<T>): Promise<number> {
  let given: { readonly options: T; readonly json: string | undefined };
  try {
    given = parse(bench);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    throw error;
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => stop.abort(new Error(`${name}: stopped`)));
  }
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const folder = await mkdtemp(join(tmpdir(), 'fig-bench-'));
  try {
    const { signal } = stop;
    const running = bench.run({ options: given.options, folder, signal, say });
    const { results, tools } = await unlessInterrupted(running, signal, bench.windDownMs);
    return await publish({ machine: describeMachine(tools), results }, given.json);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    say((stop.signal.reason as Error).message);
    return INTERRUPTED;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function unlessInterrupted<T>(
  running: Promise<T>,
  signal: AbortSignal,
  windDownMs = 0,
): Promise<T> {
  const interrupted = new Promise<never>((_resolve, reject) => {
    const give = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', () => setTimeout(give, windDownMs).unref(), { once: true });
  });
  return Promise.race([running, interrupted]);
}

function parse<T>({ name, description, options = [], examples = [] }: Bench<T>): {
  readonly options: T;
  readonly json: string | undefined;
} {
  const lines = ['', ...examples.map((words) => ` -- ${words}`), ' -- --json report.json'];
  const command = new Command(`npm run ${name} --`)
    .description(description)
    .option('--json <file>', 'write the results to a file')
    .addHelpText(
      'after',
      `\nExamples:\n${lines.map((words) => `  npm run ${name}${words}\n`).join('')}`,
    )
    .exitOverride();
  for (const option of options) command.addOption(option);
  const { json, ...rest } = command.parse().opts<{ json?: string }>();
  return { options: rest as T, json };
}
