import { runBench } from '../harness/index.ts';
import { benchFeed } from './bench.ts';

await runBench({
  name: 'bench:feed',
  description:
    'Measures how fast, how soon and at what cost changes get to the other side, beside one job a row and, where there is a PostgreSQL, its logical replication.',
  run: async ({ folder }) => ({ results: await benchFeed(folder) }),
});
