import { runBench } from '../harness/index.ts';
import { benchBackfill } from './bench.ts';

await runBench({
  name: 'bench:backfill',
  description:
    'Measures how fast rows are copied, beside INSERT ... SELECT across attached databases.',
  run: async ({ folder }) => ({ results: await benchBackfill(folder) }),
});
