import { runBench } from '../harness/index.ts';
import { benchReconcile } from './bench.ts';

await runBench({
  name: 'bench:reconcile',
  description:
    'Measures how fast both sides are compared, beside sqldiff where it is installed, and in how much memory.',
  run: async ({ folder }) => ({ results: await benchReconcile(folder) }),
});
