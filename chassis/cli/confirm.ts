import { CommandError, EXIT } from './exit.ts';
import type { Output } from './output.ts';

/** What a command is about to do. */
export interface Intent {
  /** What will happen, with numbers; left out where the question says it all. */
  readonly will?: string | undefined;
  /** As a person reads it, such as "Move …?" */
  readonly question: string;
}

interface Change {
  /**
   * Looks at the gates, and says what would happen; null where nothing is left to do. Not called where `--yes`
   * answers already: what is asked to act looks at its gates itself.
   * @throws CommandError where a gate refuses
   */
  readonly look: () => Promise<Intent | null> | Intent;
  readonly yes: boolean;
  /** The command that was given, without --yes. */
  readonly command: string;
}

/**
 * What every command that changes something calls before it does: the gates first, then what will happen, then the
 * question. On a terminal a person answers it; elsewhere only `--yes` (or FIG_YES=1) does.
 * @throws CommandError unless it is to be done; then nothing was changed
 */
export async function confirmed(output: Output, { look, yes, command }: Change): Promise<void> {
  await output.changing?.(command);
  if (yes) return;
  const intent = await look();
  if (intent === null || output.alwaysYes) return;
  const { will, question } = intent;
  if (will !== undefined) output.say(will);
  const answer = await output.confirm(question);
  if (answer === true) return;
  if (answer === false) throw new CommandError(EXIT.failed, 'declined', 'nothing was changed');
  const [program] = command.split(' ');
  const message = `not a terminal, so ${program} could not ask "${question}"; nothing was changed`;
  throw new CommandError(EXIT.usage, 'not_confirmed', message, `${command} --yes`);
}
