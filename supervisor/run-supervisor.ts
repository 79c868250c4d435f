import { jsonLines, prettyLines } from '../chassis/logs/index.ts';
import { AlreadyRunning } from './data-lock.ts';
import { CommandFailed } from './command.ts';
import { ConfigurationError, keepFilesPrivate, wantsColour } from '../chassis/index.ts';
import { StartFailed } from './launcher.ts';
import type { LogSink } from './log-sink.ts';
import { logStream } from './log-stream.ts';
import { RedisMissing } from './redis-find.ts';
import type { System } from './system.ts';

const EXPECTED = [AlreadyRunning, CommandFailed, ConfigurationError, RedisMissing, StartFailed];
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** One Ctrl-C under `npm start` comes twice: from the terminal, and passed on by npm. */
const ONE_KEYSTROKE_MS = 500;

interface Running {
  /** Starts what is to run, until the signal gives it up. */
  readonly start: (given: {
    readonly log: LogSink;
    readonly signal: AbortSignal;
  }) => Promise<System>;
  /** What is said when everything is up. */
  readonly readyText: (system: System) => string | Promise<string>;
}

/** `npm start`: the same as `supervise`, as a program; its code is 0 after a stop, 1 when it could not start. */
export async function runSupervisor(running: Running): Promise<void> {
  keepFilesPrivate();
  try {
    await supervise(running);
  } catch (error) {
    const expected = EXPECTED.some((type) => error instanceof type);
    process.stderr.write(`\nFig could not start: ${expected ? (error as Error).message : ''}\n`);
    if (!expected) console.error(error);
    process.exitCode = 1;
  }
}

/**
 * Starts a system, and has signals stop it: the first one every process in order, a second one kills what is left.
 * @throws what `start` throws, unless a signal came first
 */
export async function supervise({ start, readyText }: Running): Promise<void> {
  const sink = processOutput();
  const terminal = process.stdout.isTTY;
  const abort = new AbortController();
  let system: System | undefined;
  onSignals({
    stop: () => {
      say(sink, terminal, 'stopping; once more forces it');
      abort.abort();
      void system?.stop();
    },
    force: () => void forceEnd(system),
  });
  try {
    system = await start({ log: sink, signal: abort.signal });
    const text = await readyText(system);
    if (!abort.signal.aborted) say(sink, terminal, text);
  } catch (error) {
    if (!abort.signal.aborted) throw error;
  }
}

/** Lines of processes on standard output: for people on a terminal, else for machines. */
export function processOutput(): LogSink {
  return logStream({
    write: (text) => process.stdout.write(text),
    format: process.stdout.isTTY ? prettyLines(wantsColour(process.env)) : jsonLines,
  });
}

function onSignals({ stop, force }: { stop: () => void; force: () => void }): void {
  let firstAt: number | undefined;
  const stopOnce = (): void => {
    if (firstAt !== undefined) return;
    firstAt = performance.now();
    stop();
  };
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (firstAt !== undefined && performance.now() - firstAt > ONE_KEYSTROKE_MS) force();
      else stopOnce();
    });
  }
  // Whoever read along is gone, as in `npm start | head`: nobody would see it run.
  process.stdout.on('error', stopOnce);
}

/** Processes that a start under way has made end by themselves when this one does. */
async function forceEnd(system: System | undefined): Promise<void> {
  await system?.killAll();
  process.exit(130);
}

function say(sink: LogSink, terminal: boolean, text: string): void {
  if (terminal) process.stdout.write(`\n${text}\n`);
  else for (const line of text.split('\n')) sink.write('supervisor', line.trim());
}
