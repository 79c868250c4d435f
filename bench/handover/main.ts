import { number, runBench } from '../harness/index.ts';
import { resultsOf } from './bench.ts';
import { fencedHandover } from './handover.ts';
import { naiveFlip } from './naive.ts';
import { perform } from './stage.ts';

await runBench<{ readonly handovers: number; readonly rate: number }>({
  name: 'bench:handover',
  description:
    'Moves inventory and payment to and fro under load, and judges both ways by what clients were told.',
  takes: '4 minutes',
  turn: { takes: '4 minutes' },
  options: [
    number('--handovers <n>', 'how many handovers, a multiple of 4', {
      byDefault: 100,
      of: (value) => Number.isInteger(value) && value >= 4 && value % 4 === 0,
    }),
    number('--rate <n>', 'requests a second', { byDefault: 520, of: (value) => value > 0 }),
  ],
  examples: ['--handovers 12'],
  windDownMs: 15_000,
  async run({ folder, options, signal, say }) {
    const { handovers, rate } = options;
    const order = { folder, perSecond: rate, handovers, signal, say };
    const ours = await perform(fencedHandover(), order);
    const naive = await perform(naiveFlip(), order);
    for (const { verdict } of [ours, naive]) for (const text of verdict.examples) say(`  ${text}`);
    const { databasesEqual } = naive.moved;
    say(`naive: both databases are ${databasesEqual ? 'equal' : 'different'} at the end`);
    return { results: resultsOf(ours, naive, handovers) };
  },
});
