import { inTurns, processTable, usageBelow } from '../harness/index.ts';
import type { LoadOptions, Measured, Rounds } from '../harness/index.ts';
import { PATH } from './stage.ts';
import type { Stage } from './stage.ts';

/** One thing to be loaded. */
interface LoadedLane {
  readonly name: string;
  readonly url: string;
  /** The process that is loaded, where its use of a processor is wanted. */
  readonly pid?: number;
  /** Done before each of its runs, such as setting a flag. */
  readonly before?: () => Promise<void>;
}

interface LoadedRun extends Measured {
  /** Time of a processor that the lane's process took, in ms; 0 for a lane without a pid. */
  readonly processorMs: number;
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
): Promise<Rounds<LoadedRun>> {
  const run = async (lane: LoadedLane, seconds: number): Promise<LoadedRun> => {
    const { name, url, pid, before } = lane;
    signal.throwIfAborted();
    await before?.();
    const usedBefore = await processorMsOf(pid);
    const measured = await generator.run({ ...load, url: url + PATH, seconds });
    const processorMs = (await processorMsOf(pid)) - usedBefore;
    if (measured.failed > 0) throw new Error(`${name}: ${measured.failed} requests failed`);
    return { ...measured, processorMs };
  };
  for (const lane of lanes) await run(lane, WARM_UP_SECONDS);
  const turns = lanes.map((lane) => ({ name: lane.name, run: () => run(lane, load.seconds) }));
  return inTurns(turns, { rounds, signal, say, show });
}

async function processorMsOf(pid: number | undefined): Promise<number> {
  if (pid === undefined) return 0;
  return usageBelow(await processTable(), pid)?.processorMs ?? 0;
}

function show({ perSecond, p50Ms, p99Ms }: Measured): string {
  const figures = `p50 ${p50Ms.toFixed(2)} ms  p99 ${p99Ms.toFixed(2)} ms`;
  return `${perSecond.toFixed(0).padStart(7)}/s  ${figures}`;
}
