import { runBench } from '../harness/index.ts';
import { benchCommits } from './bench.ts';

await runBench({
  name: 'bench:commits',
  description:
    'Measures how many write transactions a process of the business gets through on SQLite,\n' +
    'beside one turn of the disk for each of them.',
  run: async ({ folder }) => ({ results: await benchCommits(folder) }),
});
