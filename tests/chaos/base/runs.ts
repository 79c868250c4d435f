import { setMaxListeners } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { createProgress } from '../../../rehearsal/index.ts';
import type { Progress } from '../../../rehearsal/index.ts';

export interface RunContext {
  /** Decides everything that the run decides. */
  readonly seed: number;
  readonly progress: Progress;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Whether the system keeps its data in PostgreSQL. */
  readonly postgres: boolean;
}

export interface RunReport {
  /** What was promised and is not so; empty when all is well. */
  readonly broken: readonly string[];
  /** What the run did and saw. */
  readonly facts: Readonly<Record<string, number | string>>;
}

export interface ChaosCommand {
  /** The npm script, such as `chaos:feed`. */
  readonly name: string;
  readonly description: string;
  /** Whether it can keep the data in PostgreSQL. */
  readonly onPostgres?: boolean;
  run(context: RunContext): Promise<RunReport>;
}

type Streams = Pick<NodeJS.Process, 'stdout' | 'stderr'>;

interface Options {
  readonly runs: number;
  readonly seed: number;
  readonly json?: string;
  readonly postgres?: boolean;
}

type Outcome = RunReport & { readonly seed: number; readonly seconds: number };

function whole(atLeast: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (Number.isSafeInteger(number) && number >= atLeast) return number;
    throw new InvalidArgumentError(`give a whole number of ${atLeast} or more.`);
  };
}

function parse(
  { name, description, onPostgres = false }: ChaosCommand,
  words: readonly string[],
  { stdout, stderr }: Streams,
): Options {
  const help = `
Each run brings up a system of its own and takes its decisions from its seed: the first has the one
given, the next the one after.

Examples:
  npm run ${name}
  npm run ${name} -- --runs 50 --seed 1 --json report.json
  npm run ${name} -- --runs 1 --seed 17${onPostgres ? `\n  npm run ${name} -- --runs 2 --postgres` : ''}

Exit: 0 when nothing was lost, 1 when something was or a run failed, 2 for wrong usage.`;
  const command = new Command(name);
  if (onPostgres) {
    command.option('--postgres', 'keep the data in a PostgreSQL of its own instead of in files');
  }
  return command
    .description(description)
    .option('--runs <n>', 'how many runs', whole(1), 5)
    .option('--seed <n>', 'the seed of the first run', whole(0), 1)
    .option('--json <file>', 'write what every run did to a file')
    .addHelpText('after', help)
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
    })
    .exitOverride()
    .parse([...words], { from: 'user' })
    .opts<Options>();
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
  const interrupt = (): void => stop.abort(new Error('interrupted'));
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    const options = parse(command, words, streams);
    const progress = createProgress(streams.stderr);
    const outcomes = await runAll(command, options, progress, stop.signal);
    if (options.json !== undefined) {
      await writeFile(options.json, `${JSON.stringify({ runs: outcomes }, null, 2)}\n`);
    }
    streams.stdout.write(verdict(command, outcomes, options.postgres));
    if (stop.signal.aborted) return 130;
    return outcomes.every(({ broken }) => broken.length === 0) ? 0 : 1;
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
  { runs, seed: first, postgres = false }: Options,
  progress: Progress,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let index = 0; index < runs && !signal.aborted; index += 1) {
    const seed = first + index;
    progress.say(`Run ${index + 1} of ${runs}, seed ${seed}`);
    const started = performance.now();
    const report = await command.run({ seed, progress, signal, postgres }).catch(failure);
    if (signal.aborted) break;
    const outcome = { seed, seconds: seconds(performance.now() - started), ...report };
    outcomes.push(outcome);
    progress.say(outcomeText(command, outcome, postgres));
  }
  progress.end();
  return outcomes;
}

function failure(error: unknown): RunReport {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { broken: [text], facts: {} };
}

const seconds = (ms: number): number => Math.round(ms / 100) / 10;

function outcomeText(
  { name }: ChaosCommand,
  { seed, seconds: took, facts, broken }: Outcome,
  postgres: boolean,
): string {
  const said = Object.entries(facts).map(([what, value]) => `${what} ${value}`);
  if (broken.length === 0) return `  nothing was lost in ${took} s: ${said.join(', ')}`;
  return [
    `  BROKEN after ${took} s: ${said.join(', ')}`,
    ...broken.map((text) => `  - ${text}`),
    `  again: npm run ${name} -- --runs 1 --seed ${seed}${postgres ? ' --postgres' : ''}`,
  ].join('\n');
}

function verdict({ name }: ChaosCommand, outcomes: readonly Outcome[], postgres = false): string {
  const bad = outcomes.filter(({ broken }) => broken.length > 0);
  const again = bad.map(
    ({ seed }) =>
      `again: npm run ${name} -- --runs 1 --seed ${seed}${postgres ? ' --postgres' : ''}\n`,
  );
  const lost = bad.length === 0 ? 'nothing was lost' : `${bad.length} broke a promise`;
  return `${outcomes.length} runs: ${lost}\n${again.join('')}`;
}
