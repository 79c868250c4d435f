import { medianInterval } from './interval.ts';
import type { Interval } from './interval.ts';
import { median } from './median.ts';

/** One thing that has its turn in every round. */
export interface Lane<T> {
  readonly name: string;
  run(round: number): Promise<T>;
}

interface Turns<T> {
  readonly rounds: number;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  /** A turn's figures in a few words, for progress. */
  readonly show: (of: T) => string;
}

/** Two figures of one round, and how sure their ratio is; `value` alone where there was no rival. */
export interface Beside {
  readonly value: number;
  readonly rivalValue?: number;
  /** Of the ratio. */
  readonly interval?: Interval;
}

/**
 * Gives every lane its turn, round after round, in an order that alternates: what drifts or disturbs
 * the machine for a while then does so for all.
 */
export async function inTurns<T>(
  lanes: readonly Lane<T>[],
  { rounds, signal, say, show }: Turns<T>,
): Promise<Rounds<T>> {
  const runs = new Map<string, T[]>(lanes.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, run } of round % 2 === 0 ? lanes : lanes.toReversed()) {
      signal.throwIfAborted();
      const figures = await run(round);
      runs.get(name)?.push(figures);
      say(`  round ${round + 1} of ${rounds}  ${name.padEnd(24)}${show(figures)}`);
    }
  }
  return new Rounds(runs);
}

/** What all lanes did, round by round. */
export class Rounds<T> {
  readonly #runs: ReadonlyMap<string, readonly T[]>;

  constructor(runs: ReadonlyMap<string, readonly T[]>) {
    this.#runs = runs;
  }

  /**
   * One lane's figures, round by round.
   * @throws RangeError when there is no such lane
   */
  all(name: string): readonly T[] {
    const runs = this.#runs.get(name);
    if (!runs) throw new RangeError(`there is no lane ${name}`);
    return runs;
  }

  /** The median of one lane's figure. */
  median(name: string, figure: (of: T) => number): number {
    return median(this.all(name).map(figure));
  }

  /**
   * A figure of two lanes: that of the round in the middle by their ratio, and an interval for the
   * median of all rounds' ratios. Without such a rival, the median of the one lane.
   * @param figure may also look at the other lanes of its round
   */
  beside(
    name: string,
    rival: string,
    figure: (of: T, round: (name: string) => T) => number,
  ): Beside {
    const rivals = this.#runs.get(rival);
    const of = (index: number, lane: string): number => {
      const round = (other: string): T => this.#runs.get(other)?.[index] as T;
      return figure(round(lane), round);
    };
    const rounds = [...this.all(name).keys()];
    if (rivals === undefined) return { value: median(rounds.map((index) => of(index, name))) };
    return middlePair(
      rounds.map((index) => ({ value: of(index, name), rivalValue: of(index, rival) })),
    );
  }

  /** The same for two figures of one lane, such as before and after. */
  within(name: string, pair: (of: T) => Required<Omit<Beside, 'interval'>>): Required<Beside> {
    return middlePair(this.all(name).map(pair));
  }
}

/**
 * Of pairs that were measured side by side, the one in the middle by its ratio (of an even number, the
 * lower of the two), with an interval for the median ratio.
 * @throws RangeError when there are no pairs
 */
export function middlePair(
  pairs: readonly { readonly value: number; readonly rivalValue: number }[],
): Required<Beside> {
  const ratioOf = ({ value, rivalValue }: (typeof pairs)[number]): number => value / rivalValue;
  const interval = medianInterval(pairs.map(ratioOf));
  const sorted = pairs.toSorted((a, b) => ratioOf(a) - ratioOf(b));
  const middle = sorted[Math.floor((sorted.length - 1) / 2)] as (typeof pairs)[number];
  return { ...middle, interval };
}
