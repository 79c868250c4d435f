import { CommanderError } from 'commander';
import type { Command } from 'commander';
import { CommandError, EXIT } from './exit.ts';
import type { ExitCode } from './exit.ts';
import { endWhenInterrupted } from './interrupt.ts';
import { createOutput } from './output.ts';
import type { Output, OutputOptions, Surroundings } from './output.ts';

/** Calls a command's work, once its options are understood. */
export type RunWork = (
  options: OutputOptions,
  work: (output: Output) => Promise<void>,
) => Promise<void>;

interface Program {
  readonly name: string;
  /** All its commands, or the one that a command line names. */
  create(run: RunWork): Promise<Command> | Command;
  /** What a command that threw has to say. */
  toFailure(error: unknown): CommandError;
}

/**
 * Runs one command line of a program: what is wrong with the words, and what goes wrong, is told in one form, and
 * the exit code says which it was.
 * @param words without the interpreter and the script
 */
export async function runProgram(
  { name, create, toFailure }: Program,
  words: readonly string[],
  surroundings: Surroundings = process,
): Promise<ExitCode> {
  const json = words.includes('--json');
  let output = createOutput({ json, quiet: false }, surroundings);
  try {
    const program = await create(async (options, work) => {
      output = createOutput(options, surroundings);
      await work(output);
    });
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
      if (json) output.failure(usageFailure(name, error));
      return EXIT.usage;
    }
    const failure = error instanceof CommandError ? error : toFailure(error);
    output.failure(failure);
    return failure.exit;
  }
}

function allOf(program: Command): readonly Command[] {
  return [program, ...program.commands.flatMap(allOf)];
}

function usageFailure(name: string, { message, code }: CommanderError): CommandError {
  const text = message.replace(/^error: /, '').trim();
  const what = text === '(outputHelp)' ? 'say what to do' : text;
  return new CommandError(EXIT.usage, code.replace('commander.', 'usage_'), what, `${name} --help`);
}

/** Ends a process with the exit code of its command line, whatever becomes of its output. */
export async function runMain(run: (words: readonly string[]) => Promise<ExitCode>): Promise<void> {
  endWhenInterrupted();
  process.exitCode = await run(process.argv.slice(2));
}
