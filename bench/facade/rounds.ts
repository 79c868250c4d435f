import { median } from '../harness/index.ts';
import type { LoadOptions, Measured } from '../harness/index.ts';
import { PATH } from './stage.ts';
import type { Stage } from './stage.ts';

/** One thing to be loaded. */
interface Lane {
  readonly name: string;
  readonly url: string;
  /** Done before each of its runs, such as setting a flag. */
  readonly before?: () => Promise<void>;
}

const WARM_UP_SECONDS = 1;

/** What all lanes did, round by round. */
export class Rounds {
  readonly #runs: ReadonlyMap<string, readonly Measured[]>;

  constructor(runs: ReadonlyMap<string, readonly Measured[]>) {
    this.#runs = runs;
  }

  /** The median of one lane's figure. */
  median(name: string, figure: (of: Measured) => number): number {
    return median(this.#of(name).map(figure));
  }

  /**
   * A figure of two lanes, from the round in the middle by their ratio: what disturbs the machine
   * for a while disturbs both, so that it is in the ratio of a round only when it is short.
   * @param figure may also look at the other lanes of its round
   */
  pair(
    name: string,
    rival: string,
    figure: (of: Measured, round: (name: string) => Measured) => number,
  ): { readonly value: number; readonly rivalValue: number } {
    const pairs = this.#of(name).map((ours, index) => {
      const round = (other: string): Measured => this.#of(other)[index] as Measured;
      return { value: figure(ours, round), rivalValue: figure(round(rival), round) };
    });
    const sorted = pairs.toSorted((a, b) => a.value / a.rivalValue - b.value / b.rivalValue);
    return sorted[Math.floor((sorted.length - 1) / 2)] as (typeof sorted)[number];
  }

  #of(name: string): readonly Measured[] {
    const runs = this.#runs.get(name);
    if (!runs) throw new RangeError(`there is no lane ${name}`);
    return runs;
  }
}

/**
 * Loads all lanes in turn, many times over for a short while.
 * @throws when a lane failed requests: its figures would mean nothing
 */
export async function interleaved(
  lanes: readonly Lane[],
  load: Omit<LoadOptions, 'url'>,
  { generator, rounds }: Stage,
): Promise<Rounds> {
  const runs = new Map<string, Measured[]>(lanes.map(({ name }) => [name, []]));
  for (const { url, before } of lanes) {
    await before?.();
    await generator.run({ ...load, url: url + PATH, seconds: WARM_UP_SECONDS });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, url, before } of lanes) {
      await before?.();
      const measured = await generator.run({ ...load, url: url + PATH });
      if (measured.failed > 0) throw new Error(`${name}: ${measured.failed} requests failed`);
      runs.get(name)?.push(measured);
      process.stderr.write(line(round, name, measured));
    }
  }
  return new Rounds(runs);
}

function line(round: number, name: string, { perSecond, p50Ms, p99Ms }: Measured): string {
  const figures = `p50 ${p50Ms.toFixed(2)} ms  p99 ${p99Ms.toFixed(2)} ms`;
  return `  round ${round + 1}  ${name.padEnd(24)}${perSecond.toFixed(0).padStart(7)}/s  ${figures}\n`;
}
