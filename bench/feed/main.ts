import { Option } from 'commander';
import { number, runBench, whole } from '../harness/index.ts';
import { benchFeed, PARTS } from './bench.ts';
import type { FeedOptions } from './context.ts';

await runBench<FeedOptions>({
  name: 'bench:feed',
  description:
    'Measures how fast, how soon and at what cost changes get to the other side, beside one job a row ' +
    "and PostgreSQL's logical replication.",
  takes: '4 minutes',
  turn: { takes: '90 seconds', options: { rounds: 1 } },
  options: [
    new Option('--only <part>', 'measure one part').choices(Object.keys(PARTS)),
    number('--rounds <n>', 'how often each has its turn', { byDefault: 7, of: whole }),
    number('--rows <n>', 'how many rows are caught up with', { byDefault: 200_000, of: whole }),
  ],
  examples: ['--only lag', '--only catch-up --rounds 3 --rows 50000'],
  run: async (context) => ({ results: await benchFeed(context) }),
});
