import { number, runBench, whole } from '../harness/index.ts';
import { benchCommits } from './bench.ts';
import type { CommitOptions } from './bench.ts';

await runBench<CommitOptions>({
  name: 'bench:commits',
  description:
    'Measures how many write transactions a process of the business gets through on SQLite, ' +
    'beside the same statements prepared by hand. Each transaction waits for the disk.',
  takes: 'a minute',
  turn: { takes: '10 seconds', options: { rounds: 1 } },
  options: [
    number('--rounds <n>', 'how often each has its turn', { byDefault: 7, of: whole }),
    number('--ms <n>', 'how long a turn is, in ms', { byDefault: 1_500, of: whole }),
  ],
  examples: ['--rounds 3 --ms 500'],
  run: async (context) => ({ results: await benchCommits(context) }),
});
