import { chaosCommand } from '../base/runs.ts';
import { CHOICES, faultsRun } from './run.ts';

const code = await chaosCommand(
  {
    name: 'chaos:faults',
    description:
      'Puts faults between the facade and what it talks to, in each stage of a move,\n' +
      'and shows what clients see, how soon, and whether other routes are slowed.\n' +
      'All faults of all targets in all stages take about ten minutes.',
    runs: 1,
    choices: CHOICES,
    whenKept: 'every promise was kept',
    run: faultsRun,
  },
  process.argv.slice(2),
);
// What an interrupted run had begun may still be under way, and nobody waits for it.
process.exit(code);
