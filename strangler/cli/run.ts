import { resolve } from 'node:path';
import { CommanderError } from 'commander';
import type { Command } from 'commander';
import { CommandError, EXIT } from './exit.ts';
import type { ExitCode } from './exit.ts';
import { createOutput } from './output.ts';
import type { Surroundings } from './output.ts';
import { createProgram } from './program.ts';
import { refusal } from './refusal.ts';
import type { ProblemBody } from './refusal.ts';

/**
 * Runs one command line.
 * @param words without the interpreter and the script
 */
export async function runCommand(
  words: readonly string[],
  surroundings: Surroundings = process,
): Promise<ExitCode> {
  const json = words.includes('--json');
  let output = createOutput({ json, quiet: false }, surroundings);
  try {
    const program: Command = await createProgram(async (options, work, find) => {
      output = createOutput(options, surroundings);
      const { env } = surroundings;
      const { config } = program.opts<{ config?: string }>();
      if (config !== undefined) env['FIG_CONFIG'] = resolve(config);
      // Without `find` what is found is a context.
      const found = find ?? ((await import('./context.ts')).findSystem as unknown as typeof find);
      if (found) await work(await found(env), output);
    }, words);
    // What is wrong with the words is told below, like everything else that goes wrong.
    const quiet = (text: string): void => void (json || surroundings.stderr.write(text));
    for (const command of allOf(program)) {
      command.exitOverride().configureOutput({
        writeOut: (text) => void surroundings.stdout.write(text),
        writeErr: quiet,
      });
    }
    await program.parseAsync(words, { from: 'user' });
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.done;
      if (json) output.failure(usageFailure(error));
      return EXIT.usage;
    }
    const failure = toFailure(error);
    output.failure(failure);
    return failure.exit;
  }
}

function allOf(program: Command): readonly Command[] {
  return [program, ...program.commands.flatMap(allOf)];
}

function usageFailure({ message, code }: CommanderError): CommandError {
  const text = message.replace(/^error: /, '').trim();
  const what = text === '(outputHelp)' ? 'say what to do' : text;
  return new CommandError(EXIT.usage, code.replace('commander.', 'usage_'), what, 'fig --help');
}

/** By name, since their modules need not have been loaded. */
const CODES: Readonly<Record<string, string>> = {
  AlreadyRunning: 'already_running',
  ConfigurationError: 'configuration',
  FlagFileError: 'flag_file_damaged',
  FlagServerError: 'flag_server_refused',
  CallFailed: 'went_away',
  RedisMissing: 'redis_missing',
  StartFailed: 'start_failed',
};

function toFailure(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  if (!(error instanceof Error)) return new CommandError(EXIT.failed, 'failed', String(error));
  if (error.name === 'Problem') return problemFailure(error);
  const code = CODES[error.name] ?? 'failed';
  if (code === 'flag_file_damaged') return flagFileFailure(error.message);
  const { message } = error;
  return new CommandError(EXIT.failed, code, message, code === 'went_away' ? 'fig status' : null);
}

/** One of our own, where no engine was asked. */
function problemFailure(error: Error): CommandError {
  const { status, code, members } = error as Error & {
    readonly status: number;
    readonly code: string;
    readonly members?: ProblemBody;
  };
  return refusal(status, { ...members, code, detail: error.message });
}

function flagFileFailure(reason: string): CommandError {
  if (!reason.startsWith('it is missing')) {
    return new CommandError(
      EXIT.failed,
      'flag_file_damaged',
      `the flag file is damaged: ${reason}`,
    );
  }
  const message = `the flag file can't be read: ${reason}`;
  return new CommandError(EXIT.failed, 'flag_file_missing', message, 'fig flags init');
}
