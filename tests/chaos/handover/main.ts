import { chaosCommand } from '../base/runs.ts';
import { handoverRun } from './run.ts';

const code = await chaosCommand(
  {
    name: 'chaos:handover',
    description:
      'Hands inventory and payment over and back under orders and hot writes through two facades,\n' +
      'kills and pauses processes and Redis in the middle of it, and holds what is stored against what\n' +
      'clients were told.',
    onPostgres: true,
    handsOver: true,
    run: handoverRun,
  },
  process.argv.slice(2),
);
// What an interrupted run had begun may still be under way, and nobody waits for it.
process.exit(code);
