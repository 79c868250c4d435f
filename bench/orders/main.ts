import { number, runBench, whole } from '../harness/index.ts';
import { benchOrders } from './bench.ts';
import type { OrdersOptions } from './bench.ts';

await runBench<OrdersOptions>({
  name: 'bench:orders',
  description:
    'Measures how many orders one, two and four monoliths on one PostgreSQL place, beside monoliths ' +
    'whose writes all take one lock of the database.',
  takes: '9 minutes',
  turn: { takes: '3 minutes', options: { rounds: 1 } },
  options: [
    number('--rounds <n>', 'how often each has its turn', { byDefault: 3, of: whole }),
    number('--ms <n>', 'how long a turn is, in ms', { byDefault: 15_000, of: whole }),
    number('--late-ms <n>', 'how late statements reach the database, in ms', {
      byDefault: 5,
      of: whole,
    }),
  ],
  examples: ['--rounds 1 --ms 10000'],
  run: async (context) => ({ results: await benchOrders(context) }),
});
