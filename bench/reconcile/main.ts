import { number, runBench, whole } from '../harness/index.ts';
import { benchReconcile } from './bench.ts';
import type { ReconcileOptions } from './bench.ts';

await runBench<ReconcileOptions>({
  name: 'bench:reconcile',
  description:
    'Measures how fast both sides are compared, beside a script that reads both and beside sqldiff ' +
    'where it is installed, and in how much memory.',
  takes: '3 minutes',
  turn: { takes: '45 seconds', options: { rounds: 1 } },
  options: [
    number('--rounds <n>', 'how often each has its turn', { byDefault: 5, of: whole }),
    number('--rows <n>', 'how many rows are compared, a tenth of them for memory', {
      byDefault: 1_000_000,
      of: (value) => whole(value / 10),
    }),
  ],
  examples: ['--rounds 3 --rows 100000'],
  run: async (context) => ({ results: await benchReconcile(context) }),
});
