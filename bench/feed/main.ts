import { Option } from 'commander';
import { runBench } from '../harness/index.ts';
import { benchFeed, PARTS } from './bench.ts';

await runBench<{ readonly only?: string }>({
  name: 'bench:feed',
  description:
    "Measures how fast, how soon and at what cost changes get to the other side, beside one job a row and PostgreSQL's logical replication.",
  options: [new Option('--only <part>', 'measure one part').choices(Object.keys(PARTS))],
  examples: ['--only lag'],
  run: async ({ folder, options }) => ({ results: await benchFeed(folder, options.only) }),
});
