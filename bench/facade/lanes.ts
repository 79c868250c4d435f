import { inTurns } from '../harness/index.ts';
import type { LoadOptions, Measured, Rounds } from '../harness/index.ts';
import { PATH } from './stage.ts';
import type { Stage } from './stage.ts';

/** One thing to be loaded. */
interface LoadedLane {
  readonly name: string;
  readonly url: string;
  /** Done before each of its runs, such as setting a flag. */
  readonly before?: () => Promise<void>;
}

const WARM_UP_SECONDS = 1;

/**
 * Loads all lanes in turn, many times over for a short while.
 * @throws when a lane failed requests: its figures would mean nothing
 */
export async function interleaved(
  lanes: readonly LoadedLane[],
  load: Omit<LoadOptions, 'url'>,
  { generator, rounds, signal, say }: Stage,
): Promise<Rounds<Measured>> {
  const run = async ({ name, url, before }: LoadedLane, seconds: number): Promise<Measured> => {
    signal.throwIfAborted();
    await before?.();
    const measured = await generator.run({ ...load, url: url + PATH, seconds });
    if (measured.failed > 0) throw new Error(`${name}: ${measured.failed} requests failed`);
    return measured;
  };
  for (const lane of lanes) await run(lane, WARM_UP_SECONDS);
  const turns = lanes.map((lane) => ({ name: lane.name, run: () => run(lane, load.seconds) }));
  return inTurns(turns, { rounds, signal, say, show });
}

function show({ perSecond, p50Ms, p99Ms }: Measured): string {
  const figures = `p50 ${p50Ms.toFixed(2)} ms  p99 ${p99Ms.toFixed(2)} ms`;
  return `${perSecond.toFixed(0).padStart(7)}/s  ${figures}`;
}
