import { CommanderError } from 'commander';
import { CallFailed, ConfigurationError } from '../../chassis/index.ts';
import { FlagFileError } from '../routing/index.ts';
import { findSystem } from './context.ts';
import { CommandError, EXIT } from './exit.ts';
import type { ExitCode } from './exit.ts';
import { createOutput } from './output.ts';
import type { Surroundings } from './output.ts';
import { createProgram } from './program.ts';

/**
 * Runs one command line.
 * @param words without the interpreter and the script
 */
export async function runCommand(
  words: readonly string[],
  surroundings: Surroundings = process,
): Promise<ExitCode> {
  let output = createOutput(false, surroundings);
  try {
    const program = createProgram(async (json, work) => {
      output = createOutput(json, surroundings);
      await work(await findSystem(surroundings.env), output);
    });
    for (const command of [
      program,
      ...program.commands,
      ...program.commands.flatMap((c) => c.commands),
    ]) {
      command.exitOverride().configureOutput({
        writeOut: (text) => void surroundings.stdout.write(text),
        writeErr: (text) => void surroundings.stderr.write(text),
      });
    }
    await program.parseAsync(words, { from: 'user' });
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const failure = toFailure(error);
    output.failure(failure);
    return failure.exit;
  }
}

function toFailure(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ConfigurationError) {
    return new CommandError(EXIT.failed, 'configuration', message);
  }
  if (error instanceof FlagFileError) {
    return new CommandError(
      EXIT.failed,
      'flag_file_damaged',
      `the flag file is damaged: ${message}`,
    );
  }
  if (error instanceof CallFailed) {
    return new CommandError(EXIT.failed, 'engine_went_away', message, 'fig status');
  }
  return new CommandError(EXIT.failed, 'failed', message);
}
