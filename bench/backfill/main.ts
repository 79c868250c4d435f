import { number, runBench, whole } from '../harness/index.ts';
import { benchBackfill } from './bench.ts';
import type { BackfillOptions } from './bench.ts';

await runBench<BackfillOptions>({
  name: 'bench:backfill',
  description:
    'Measures how fast rows are copied while others write, beside a script that copies them page by ' +
    'page and beside INSERT ... SELECT across attached databases.',
  takes: '2 minutes',
  turn: { takes: '30 seconds', options: { rounds: 1 } },
  options: [
    number('--rounds <n>', 'how often each has its turn', { byDefault: 5, of: whole }),
    number('--rows <n>', 'how many rows are copied', { byDefault: 400_000, of: whole }),
  ],
  examples: ['--rounds 3 --rows 50000'],
  run: async (context) => ({ results: await benchBackfill(context) }),
});
