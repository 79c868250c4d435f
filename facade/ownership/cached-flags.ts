import type { FlagContext, Flags, SwitchReading } from '../../routing/index.ts';

const FORGET_MS = 5_000;
const MOST_ANSWERS = 20_000;

type Known = Pick<Flags, 'isEnabled' | 'isOff' | 'rule' | 'switch' | 'lastAsked' | 'onChange'>;

const NOBODY: FlagContext = {};
const ANY_DRAW: FlagContext = { draw: '0' };

/** A customer and a draw may be spelled alike. */
interface Answers {
  readonly customers: Map<string, boolean>;
  readonly draws: Map<string, boolean>;
}

/**
 * Flags whose answers are remembered for a moment: the same customers come again and again, and an
 * evaluation costs more than all else that decides a request. Every change of the flags starts
 * afresh, and so do every few seconds, for strategies that know the time. A full map is emptied:
 * lru-cache would keep the newest, but takes three times as long to find one.
 */
export class CachedFlags implements Pick<Flags, 'isEnabled' | 'switch' | 'lastAsked'> {
  readonly #flags: Known;
  readonly #switches = new Map<string, SwitchReading>();
  /** By flag and who asks; one answer for a flag that is on, or off, for everybody. */
  readonly #answers = new Map<string, Answers | boolean>();
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
      answers = this.#forEverybody(flag) ?? { customers: new Map(), draws: new Map() };
      this.#answers.set(flag, answers);
    }
    if (typeof answers === 'boolean') return answers;
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

  /** A rule may say 100 % of what no request has, such as a session: so a request is tried, too. */
  #forEverybody(flag: string): boolean | undefined {
    if (this.#flags.isOff(flag)) return false;
    const isOn = this.#flags.rule(flag).kind === 'on' && this.#flags.isEnabled(flag, ANY_DRAW);
    return isOn || undefined;
  }

  close(): void {
    this.#stopListening();
    clearInterval(this.#timer);
  }
}
