import type { FlagContext, Flags, SwitchReading } from '../../strangler/routing/index.ts';

const FORGET_MS = 5_000;
const MOST_ANSWERS = 20_000;

type Known = Pick<Flags, 'isEnabled' | 'isOff' | 'switch' | 'lastAsked' | 'onChange'>;

const NOBODY: FlagContext = {};

/** A customer and a draw may be spelled alike. */
interface Answers {
  readonly customers: Map<string, boolean>;
  readonly draws: Map<string, boolean>;
}

/**
 * Flags whose answers are remembered for a moment: the same customers come again and again, and an
 * evaluation costs more than all else that decides a request. Every change of the flags starts
 * afresh, and so do every few seconds, for strategies that know the time.
 */
export class CachedFlags implements Pick<Flags, 'isEnabled' | 'switch' | 'lastAsked'> {
  readonly #flags: Known;
  readonly #switches = new Map<string, SwitchReading>();
  /** By flag and who asks; a flag that is off for everybody has none. */
  readonly #answers = new Map<string, Answers | undefined>();
  readonly #timer: NodeJS.Timeout;
  readonly #stopListening: () => void;

  constructor(flags: Known) {
    this.#flags = flags;
    this.#stopListening = flags.onChange(() => {
      this.#answers.clear();
      this.#switches.clear();
    });
    this.#timer = setInterval(() => this.#answers.clear(), FORGET_MS).unref();
  }

  lastAsked(flag: string): boolean | undefined {
    return this.#flags.lastAsked(flag);
  }

  switch(flag: string): SwitchReading {
    let reading = this.#switches.get(flag);
    if (reading === undefined) {
      reading = this.#flags.switch(flag);
      this.#switches.set(flag, reading);
    }
    return reading;
  }

  isEnabled(flag: string, context: FlagContext = NOBODY): boolean {
    let answers = this.#answers.get(flag);
    if (answers === undefined) {
      if (!this.#answers.has(flag)) {
        answers = this.#flags.isOff(flag) ? undefined : { customers: new Map(), draws: new Map() };
        this.#answers.set(flag, answers);
      }
      if (answers === undefined) return false;
    }
    const { userId, draw = '' } = context;
    const remembered = userId === undefined ? answers.draws : answers.customers;
    const asker = userId ?? draw;
    const known = remembered.get(asker);
    if (known !== undefined) return known;
    const answer = this.#flags.isEnabled(flag, context);
    if (remembered.size >= MOST_ANSWERS) remembered.clear();
    remembered.set(asker, answer);
    return answer;
  }

  close(): void {
    this.#stopListening();
    clearInterval(this.#timer);
  }
}
