import { Option } from 'commander';
import { number, runBench } from '../harness/index.ts';
import { benchFacade, PARTS } from './bench.ts';
import { clearStage, setStage } from './stage.ts';

await runBench<{ readonly seconds: number; readonly rounds: number; readonly only?: string }>({
  name: 'bench:facade',
  description:
    'Loads the facade, the proxies that a Node team would pick, and nginx where it is installed, in turn.',
  options: [
    number('--rounds <n>', 'how often each has its turn', {
      byDefault: 15,
      of: (value) => Number.isInteger(value) && value > 0,
    }),
    new Option('--only <part>', 'measure one part').choices(Object.keys(PARTS)),
    number('--seconds <n>', 'how long a turn is', { byDefault: 1, of: (value) => value > 0 }),
  ],
  examples: ['--rounds 3', '--only shadow'],
  async run({ folder, options: { only, ...turns } }) {
    const stage = await setStage({ folder, ...turns });
    try {
      return { results: await benchFacade(stage, only), tools: stage.tools };
    } finally {
      await clearStage(stage);
    }
  },
});
