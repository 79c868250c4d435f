import { Option } from 'commander';
import { number, positive, runBench, whole } from '../harness/index.ts';
import { benchFacade, PARTS } from './bench.ts';
import { clearStage, setStage } from './stage.ts';
import type { FacadeOptions } from './stage.ts';

await runBench<FacadeOptions>({
  name: 'bench:facade',
  description:
    'Loads the facade, the proxies that a Node team would pick, and nginx where it is installed, in turn.',
  takes: '9 minutes',
  turn: { takes: '90 seconds', options: { rounds: 3 } },
  options: [
    number('--rounds <n>', 'how often each has its turn', { byDefault: 15, of: whole }),
    new Option('--only <part>', 'measure one part').choices(Object.keys(PARTS)),
    number('--seconds <n>', 'how long a turn is', { byDefault: 1, of: positive }),
  ],
  examples: ['--rounds 3', '--only shadow'],
  async run(context) {
    const stage = await setStage(context);
    try {
      return { results: await benchFacade(stage, context.options.only), tools: stage.tools };
    } finally {
      await clearStage(stage);
    }
  },
});
