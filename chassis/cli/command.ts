import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';

export interface CommandHelp {
  readonly does: string;
  readonly examples: readonly string[];
  /** Whether it is what its parent does without a further word. */
  readonly isDefault?: boolean;
}

/** Adds a command that takes what all of them take. */
export function addCommand(
  parent: Command,
  name: string,
  { does, examples, isDefault = false }: CommandHelp,
): Command {
  const heading = examples.length === 1 ? 'Example' : 'Examples';
  return parent
    .command(name, { isDefault })
    .description(does)
    .option('--json', 'print JSON with a schemaVersion and next_steps', false)
    .option('-q, --quiet', 'print no progress, only results and errors', false)
    .addHelpText('after', `\n${heading}:\n${examples.map((line) => `  ${line}`).join('\n')}`);
}

/** For commands that ask a person where one is there. */
export const YES = ['--yes', 'do not ask'] as const;

/** @throws InvalidArgumentError */
export function parsePositive(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('Give a whole number above 0.');
}
