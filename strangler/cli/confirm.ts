import { CommandError, EXIT } from './exit.ts';
import type { Output } from './output.ts';

interface Question {
  /** As a person reads it, such as "Move …?" */
  readonly question: string;
  readonly yes: boolean;
  /** The same command with --yes, for where nobody can be asked. */
  readonly otherwise: string;
}

/**
 * Asks before a step that moves ownership, removes rows, or can't be taken back: on a terminal, and
 * elsewhere only `--yes` (or FIG_YES=1) answers. Every command looks at its gates before, and says
 * with the question what will happen.
 * @throws CommandError unless it is to be taken
 */
export async function confirmed(
  output: Output,
  { question, yes, otherwise }: Question,
): Promise<void> {
  if (yes) return;
  const answer = await output.confirm(question);
  if (answer === true) return;
  if (answer === false) throw new CommandError(EXIT.failed, 'declined', 'nothing was changed');
  const message = 'nobody is there to confirm it; nothing was changed';
  throw new CommandError(EXIT.usage, 'not_confirmed', message, otherwise);
}
