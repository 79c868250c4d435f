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

/**
 * Loads all lanes in turn, several times over, so that what disturbs the machine for a while
 * disturbs all of them.
 * @returns how to get the medians of a lane's rounds
 * @throws when a lane failed requests: its figures would mean nothing
 */
export async function interleaved(
  lanes: readonly Lane[],
  load: Omit<LoadOptions, 'url'>,
  { generator, rounds }: Stage,
): Promise<(name: string) => Measured> {
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
  return (name) => medians(runs.get(name) ?? []);
}

function line(round: number, name: string, { perSecond, p50Ms, p99Ms }: Measured): string {
  const figures = `p50 ${p50Ms.toFixed(2)} ms  p99 ${p99Ms.toFixed(2)} ms`;
  return `  round ${round + 1}  ${name.padEnd(24)}${perSecond.toFixed(0).padStart(7)}/s  ${figures}\n`;
}

function medians(runs: readonly Measured[]): Measured {
  return {
    perSecond: median(runs.map(({ perSecond }) => perSecond)),
    p50Ms: median(runs.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(runs.map(({ p99Ms }) => p99Ms)),
    failed: 0,
  };
}
