import { setTimeout as delay } from 'node:timers/promises';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import {
  LEVELS,
  logFolder,
  loggedProcesses,
  logLine,
  LogReader,
  prettyLines,
} from '../../../chassis/logs/index.ts';
import type { LevelName, LogLine } from '../../../chassis/logs/index.ts';
import { parentIn, START_COMMAND } from '../../../chassis/index.ts';
import { dataFolder } from '../../../routing/index.ts';
import { addCommand, parsePositive, withEnvironment } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import { CommandError, EXIT } from '../../../chassis/cli/index.ts';
import type { Output, OutputOptions } from '../../../chassis/cli/index.ts';

interface LogsOptions extends OutputOptions {
  readonly follow: boolean;
  readonly trace?: string;
  readonly level: LevelName;
  readonly lines?: number;
}

const SHOWN_LINES = 200;
const FOLLOW_MS = 200;

/** Declares `fig logs`. */
export function addLogs(program: Command, run: Run): void {
  addCommand(program, 'logs', {
    does: 'print what the processes of npm start have logged, all of them in one order or one alone',
    examples: [
      'fig logs',
      'fig logs -f facade',
      'fig logs --level warn',
      'fig logs --trace 4bf92f3577b34da6a3ce929d0e0e4736',
    ],
  })
    .argument('[process]', 'all of them when left out')
    .option('-f, --follow', 'go on with what is logged from now on, until Ctrl-C', false)
    .option('--trace <id>', 'only lines of this trace: its id, or a traceparent', parseTrace)
    .addOption(
      new Option('--level <level>', 'only lines of this level and above')
        .choices(Object.keys(LEVELS))
        .default('trace'),
    )
    .option(
      '-n, --lines <count>',
      `how many of the last lines; ${SHOWN_LINES} when left out, and with --trace all of them`,
      parsePositive,
    )
    .action((name: string | undefined, options: LogsOptions) =>
      run(options, (env, output) => logs(env, output, name, options), withEnvironment),
    );
}

/** @throws InvalidArgumentError */
function parseTrace(text: string): string {
  const id = parentIn(text)?.traceId ?? text.toLowerCase();
  if (/^[0-9a-f]{4,32}$/.test(id)) return id;
  throw new InvalidArgumentError('Give a trace id of 32 hex digits, or its beginning.');
}

/** @throws CommandError where nothing is kept, or nothing of that process */
async function logs(
  env: NodeJS.ProcessEnv,
  output: Output,
  name: string | undefined,
  options: LogsOptions,
): Promise<void> {
  const folder = logFolder(dataFolder(env));
  const kept = loggedProcesses(folder);
  if (kept.length === 0) {
    const message = `no logs are kept in ${folder}; ${START_COMMAND} keeps them there, and containers have their own`;
    throw new CommandError(EXIT.failed, 'no_logs', message, START_COMMAND);
  }
  if (name !== undefined && !kept.includes(name)) {
    const message = `there is no log of a process "${name}"; kept are those of ${kept.join(', ')}`;
    throw new CommandError(EXIT.usage, 'unknown_name', message);
  }
  const names = name === undefined ? kept : [name];
  const readers = new Map(names.map((each) => [each, readerOf(folder, each)]));
  const print = printer(output);
  const isWanted = wanted(options);
  const read = (): LogLine[] =>
    [...readers.values()]
      .flatMap((next) => next())
      .filter(isWanted)
      .sort((left, right) => left.time - right.time);

  const { trace, lines = trace === undefined ? SHOWN_LINES : Infinity } = options;
  const found = read();
  for (const line of lines < found.length ? found.slice(-lines) : found) print(line);
  if (found.length === 0 && !options.follow) {
    output.say(
      trace === undefined ? 'no line is of that kind' : `no line is kept of trace ${trace}`,
    );
  }
  while (options.follow) {
    await delay(FOLLOW_MS);
    // A process that was started meanwhile has a new file.
    for (const each of name === undefined ? loggedProcesses(folder) : []) {
      if (!readers.has(each)) readers.set(each, readerOf(folder, each));
    }
    for (const line of read()) print(line);
  }
}

function readerOf(folder: string, name: string): () => readonly LogLine[] {
  const reader = new LogReader(folder, name);
  let before = 0;
  return () =>
    reader.next().map((text) => {
      const line = logLine(name, text, before);
      before = line.time;
      return line;
    });
}

function wanted({ trace, level }: LogsOptions): (line: LogLine) => boolean {
  return (line) =>
    line.level >= LEVELS[level] &&
    (trace === undefined || line.traceId?.startsWith(trace) === true);
}

function printer(output: Output): (line: LogLine) => void {
  const pretty = prettyLines(output.colours);
  return ({ name, text, fields }) => output.line(pretty(name, text), { name, ...fields });
}
