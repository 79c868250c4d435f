import type { Result } from '../harness/index.ts';
import { startField } from './contestants.ts';
import type { Field } from './contestants.ts';
import * as measure from './measurements.ts';
import type { Stage } from './stage.ts';

type Part = (field: Field, stage: Stage) => Promise<readonly Result[]>;

/** What can be measured by itself, by name. */
export const PARTS: Readonly<Record<string, Part>> = {
  reads: async (field, stage) => {
    const reads = await measure.measureReads(field, stage);
    const added = await measure.measureAddedLatency(field, reads.halfLoad, stage);
    return [...reads.results, ...added];
  },
  writes: measure.measureWrites,
  memory: measure.measureMemory,
  shadow: measure.measureShadow,
  workers: (_field, stage) => measure.measureWorkers(stage),
  flips: (_field, stage) => measure.measureFlips(stage),
};

/**
 * Measures the facade beside its rivals, all in one run, on this machine.
 * @param only one of `PARTS`; all when left out
 */
export async function benchFacade(stage: Stage, only?: string): Promise<readonly Result[]> {
  const results: Result[] = [];
  const { folder, upstream, proxyCores } = stage;
  const field = await startField({ folder, upstreamUrl: upstream.url, cores: proxyCores });
  try {
    // Half of the customers read from either side: the decision goes its whole way.
    await field.ours.flags({ 'items.reads': 50 });
    for (const [name, part] of Object.entries(PARTS)) {
      if (only !== undefined && only !== name) continue;
      say(name);
      results.push(...(await part(field, stage)));
    }
  } finally {
    await field.stop();
  }
  return results;
}

function say(what: string): void {
  process.stderr.write(`${what}\n`);
}
