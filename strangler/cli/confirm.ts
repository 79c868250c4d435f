import { CommandError, EXIT } from './exit.ts';
import type { Output } from './output.ts';

interface Question {
  /** As a person reads it, such as "Move …?" */
  readonly question: string;
  readonly yes: boolean;
  /** The same command with --yes: needed where nobody can be asked; absent, it is then done. */
  readonly otherwise?: string;
}

/** Asks before a step, where somebody is there. @throws CommandError unless it is to be taken */
export async function confirmed(
  output: Output,
  { question, yes, otherwise }: Question,
): Promise<void> {
  if (yes) return;
  const answer = await output.confirm(question);
  if (answer === true || (answer === null && otherwise === undefined)) return;
  if (answer === false) throw new CommandError(EXIT.failed, 'declined', 'nothing was changed');
  const message = 'nobody is there to confirm it; nothing was changed';
  throw new CommandError(EXIT.usage, 'not_confirmed', message, otherwise);
}
