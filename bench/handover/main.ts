import { Option } from 'commander';
import { alone, number, positive, runBench } from '../harness/index.ts';
import type { Result } from '../harness/index.ts';
import { resultsOf } from './bench.ts';
import { fencedHandover } from './handover.ts';
import { naiveFlip } from './naive.ts';
import { calibrate, perform } from './perform.ts';
import type { Context, HandoverOptions } from './perform.ts';

const SUSTAINED = 'requests sustained';

await runBench<HandoverOptions>({
  name: 'bench:handover',
  description:
    'Finds what the machine sustains, then moves inventory and payment to and fro under half of that, ' +
    'judges by what clients were told, and compares pauses with the same writes while nothing moves. ' +
    'Ownership moved by a flag alone, under the same load, is the rival.',
  takes: '10 minutes',
  turn: { takes: '4 minutes', options: { handovers: 40 } },
  common: {
    options: { calibrate: true },
    choose: (reports) => ({ rate: Math.floor(Math.min(...reports.map(sustainedIn)) / 2) }),
  },
  options: [
    number('--handovers <n>', 'how many handovers, a multiple of 4', {
      byDefault: 200,
      of: (value) => Number.isInteger(value) && value >= 4 && value % 4 === 0,
    }),
    number('--rate <n>', 'requests a second, instead of half of what is sustained', {
      of: positive,
    }),
    new Option('--postgres', 'keep the data in a PostgreSQL of its own instead of in files'),
    new Option('--calibrate', 'only find what the machine sustains'),
  ],
  examples: ['--handovers 20 --no-rivals', '--postgres', '--calibrate'],
  windDownMs: 20_000,
  async run(context) {
    if (context.options.calibrate) return { results: [await sustained(context)] };
    const { handovers, rate } = context.options;
    const ours = await perform(fencedHandover(), rate, context);
    const naive = context.rivals ? await perform(naiveFlip(), ours.load, context) : undefined;
    for (const each of [ours, naive]) each?.verdict.examples.forEach(context.say);
    if (naive) {
      const equal = naive.moved.databasesEqual ? 'equal' : 'different';
      context.say(`naive: both databases are ${equal} at the end`);
    }
    return { results: resultsOf(ours, naive, handovers) };
  },
});

async function sustained(context: Context): Promise<Result> {
  const { perSecond } = await calibrate(fencedHandover(), context);
  return alone({ name: SUSTAINED, unit: 'requests/s', value: perSecond });
}

/** @throws when a report does not say it */
function sustainedIn(results: readonly Result[]): number {
  const found = results.find(({ name }) => name === SUSTAINED);
  if (found === undefined) throw new Error(`the report says nothing of ${SUSTAINED}`);
  return found.value;
}
