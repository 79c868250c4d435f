/** How a command ends; scripts may rely on these. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  timedOut: 4,
  /** An assessment that leaves something to be chosen. */
  choices: 5,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A command that did not do what was asked, with what to do about it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exit: ExitCode;
  /** Stable, for scripts. */
  readonly code: string;
  /** The next command, or another remedy; null when there is none. */
  readonly next: string | null;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(
    exit: ExitCode,
    code: string,
    message: string,
    next: string | null = null,
    facts: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.exit = exit;
    this.code = code;
    this.next = next;
    this.facts = facts;
  }
}
