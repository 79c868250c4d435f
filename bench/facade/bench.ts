import type { Result } from '../harness/index.ts';
import { startField } from './contestants.ts';
import * as measure from './measurements.ts';
import type { Stage } from './stage.ts';

/** Measures the facade beside its rivals, all in one run, on this machine. */
export async function benchFacade(stage: Stage): Promise<readonly Result[]> {
  const results: Result[] = [];
  const { folder, upstream, proxyCores } = stage;
  const field = await startField({ folder, upstreamUrl: upstream.url, cores: proxyCores });
  try {
    // Half of the customers read from either side: the decision goes its whole way.
    await field.ours.flags({ 'items.reads': 50 });
    say('GET, 1 KB answers');
    const reads = await measure.measureReads(field, stage);
    results.push(...reads.results);
    say('POST, 1 KB bodies');
    results.push(...(await measure.measureWrites(field, stage)));
    results.push(...(await measure.measureMemory(field)));
    say('half load');
    results.push(...(await measure.measureAddedLatency(field, reads.halfLoad, stage)));
    say('shadow');
    results.push(...(await measure.measureShadow(field, stage)));
  } finally {
    await field.stop();
  }
  say('workers');
  results.push(...(await measure.measureWorkers(stage)));
  say('flag flips');
  results.push(...(await measure.measureFlips(stage)));
  return results;
}

function say(what: string): void {
  process.stderr.write(`${what}\n`);
}
