import type { Logger } from '../chassis/index.ts';

/** Why flags can't be read, and since when. */
export interface FlagTrouble {
  readonly reason: string;
  /** ms since 1970; null where a command has read the flags only once. */
  readonly since: number | null;
}

/** Whether the flags can be read where they are kept. */
export interface FlagsState {
  readonly kept: 'file' | 'server';
  /** Where the flags are kept, for messages. */
  readonly source: string;
  /** Whether they have ever been read in full; until then no flag means anything. */
  readonly read: boolean;
  /** Why they can't be read now; null while they can. What was read last stays in force meanwhile. */
  readonly trouble: FlagTrouble | null;
}

/** Keeps track of whether a source of flags can be read, and says so once for each reason. */
export class Legibility {
  readonly #kept: FlagsState['kept'];
  readonly #source: string;
  readonly #log: Logger;
  #read = false;
  #trouble: FlagTrouble | null = { reason: 'it has not answered yet', since: Date.now() };
  #said: string | undefined;

  constructor(kept: FlagsState['kept'], source: string, log: Logger) {
    this.#kept = kept;
    this.#source = source;
    this.#log = log;
  }

  get state(): FlagsState {
    return { kept: this.#kept, source: this.#source, read: this.#read, trouble: this.#trouble };
  }

  /** It was read in full. */
  read(): void {
    if (this.#said !== undefined)
      this.#log.info({ source: this.#source }, 'the flags can be read again');
    this.#said = undefined;
    this.#read = true;
    this.#trouble = null;
  }

  failed(reason: string): void {
    this.#trouble = { reason, since: this.#trouble?.since ?? Date.now() };
    // The next look would repeat it every second.
    if (reason === this.#said) return;
    this.#said = reason;
    this.#log.error(
      { source: this.#source, reason },
      this.#read
        ? 'the flags cannot be read; the last known flags stay in force'
        : 'the flags cannot be read; no flag means anything until they can',
    );
  }
}

/** What to tell of flags that can't be read; null while they can. */
export function unreadableText({ source, read, trouble }: FlagsState): string | null {
  if (trouble === null) return null;
  const since = trouble.since === null ? 'now' : `since ${new Date(trouble.since).toISOString()}`;
  const rest = read
    ? 'what was read last stays in force'
    : 'they were never read, so none is in force';
  return `the flags of ${source} can't be read ${since}: ${trouble.reason}; ${rest}`;
}

/**
 * Whether a process may serve by these flags, and what to say of them. Where fences say who owns
 * what, a server that is away keeps nobody from serving; a file that is missing is a mistake to mend
 * before anybody is served.
 * @param decisive whether flags alone say who takes the writes of some capability
 */
export function flagsReadiness(
  state: FlagsState,
  decisive: boolean,
): { readonly ok: boolean; readonly note: string | null } {
  const ok = state.read || (state.kept === 'server' && !decisive);
  return { ok, note: unreadableText(state) };
}
