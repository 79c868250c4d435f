import type { Result } from '../harness/index.ts';
import { startField } from './contestants.ts';
import type { Field } from './contestants.ts';
import { measureGuarded } from './guarded.ts';
import * as measure from './measurements.ts';
import type { Stage, Upstreams } from './stage.ts';
import { measureTracing } from './tracing.ts';

interface Part {
  /** What the proxies forward to; the part is left out where there is none. */
  readonly behind: keyof Upstreams;
  measure(field: Field, stage: Stage): Promise<readonly Result[]>;
}

/** What can be measured by itself, by name. */
export const PARTS: Readonly<Record<string, Part>> = {
  reads: {
    behind: 'service',
    async measure(field, stage) {
      const reads = await measure.measureReads(field, stage);
      if (reads.halfLoad === undefined) return reads.results;
      const added = await measure.measureAddedLatency(field, reads.halfLoad, stage);
      return [...reads.results, ...added];
    },
  },
  'reads-nginx': { behind: 'nginx', measure: measure.measureReadsBeforeNginx },
  writes: { behind: 'quickest', measure: measure.measureWrites },
  memory: { behind: 'quickest', measure: measure.measureMemory },
  gateway: { behind: 'service', measure: measureGuarded },
  shadow: { behind: 'quickest', measure: measure.measureShadow },
  workers: { behind: 'quickest', measure: (_field, stage) => measure.measureWorkers(stage) },
  tracing: { behind: 'quickest', measure: (_field, stage) => measureTracing(stage) },
  flips: { behind: 'quickest', measure: (_field, stage) => measure.measureFlips(stage) },
};

/**
 * Measures the facade beside its rivals, all in one run, on this machine.
 * @param only one of `PARTS`; all when left out
 */
export async function benchFacade(stage: Stage, only?: string): Promise<readonly Result[]> {
  const results: Result[] = [];
  const fields = new Map<string, Field>();
  try {
    for (const [name, part] of Object.entries(PARTS)) {
      if (only !== undefined && only !== name) continue;
      const upstream = stage.upstreams[part.behind];
      if (upstream === undefined) {
        stage.say(`${name}: left out, since nginx is not installed`);
        continue;
      }
      stage.say(name);
      const field = fields.get(upstream.url) ?? (await prepared(stage, upstream.url));
      fields.set(upstream.url, field);
      results.push(...(await part.measure(field, stage)));
    }
  } finally {
    await Promise.all([...fields.values()].map((field) => field.stop()));
  }
  return results;
}

async function prepared(
  { folder, proxyCores, rivals }: Stage,
  upstreamUrl: string,
): Promise<Field> {
  const field = await startField({ folder, upstreamUrl, cores: proxyCores, rivals });
  // Half of the customers read from either side: the decision goes its whole way.
  await field.ours.flags({ 'items.reads': 50 });
  return field;
}
