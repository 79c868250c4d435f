import { resolve } from 'node:path';
import type { Command } from 'commander';
import { CommandError, EXIT, runProgram } from '../../chassis/cli/index.ts';
import type { ExitCode, RunWork, Surroundings } from '../../chassis/cli/index.ts';

import { createProgram } from './program.ts';
import { refusal } from './refusal.ts';
import type { ProblemBody } from './refusal.ts';

/**
 * Runs one command line.
 * @param words without the interpreter and the script
 */
export function runCommand(
  words: readonly string[],
  surroundings: Surroundings = process,
): Promise<ExitCode> {
  const { env } = surroundings;
  const fig = {
    name: 'fig',
    async create(run: RunWork) {
      const program: Command = await createProgram(
        (options, work, find) =>
          run(options, async (output) => {
            const { config } = program.opts<{ config?: string }>();
            if (config !== undefined) env['FIG_CONFIG'] = resolve(config);
            if (find) {
              await work(await find(env, surroundings), output);
              return;
            }
            const { findSystem } = await import('./context.ts');
            const { inAudit } = await import('./command-audit.ts');
            // Without `find` what is found is a context.
            const onContext = work as unknown as Parameters<typeof inAudit>[3];
            await inAudit(await findSystem(env), options.reason, output, onContext, toFailure);
          }),
        words,
      );
      return program;
    },
    toFailure,
  };
  return runProgram(fig, words, surroundings);
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
