import { number, positive, runBench, whole } from '../harness/index.ts';
import { benchFootprint } from './bench.ts';
import type { FootprintOptions } from './bench.ts';

await runBench<FootprintOptions>({
  name: 'bench:footprint',
  description:
    'Measures what a system takes that has nothing to do: processor and memory of each process, how ' +
    'long `npm start` takes with data there, and what `fig status` takes. Medians, without goals: they ' +
    'are there to be compared with --against.',
  takes: '3 minutes',
  turn: { takes: '2 minutes', options: { rounds: 1 } },
  options: [
    number('--rounds <n>', 'how often it is started and measured', { byDefault: 5, of: whole }),
    number('--seconds <n>', 'how long it idles each time', { byDefault: 15, of: positive }),
  ],
  examples: ['--rounds 3 --seconds 5'],
  windDownMs: 25_000,
  run: async (context) => ({ results: await benchFootprint(context) }),
});
