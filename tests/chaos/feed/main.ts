import { chaosCommand } from '../base/runs.ts';
import { feedRun } from './run.ts';

const code = await chaosCommand(
  {
    name: 'chaos:feed',
    description:
      'Kills, pauses and empties parts of a real system at random moments, under orders and changes\n' +
      'by hand, and checks that both sides of each capability agree and nothing was lost.',
    onPostgres: true,
    run: feedRun,
  },
  process.argv.slice(2),
);
// What an interrupted run had begun may still be under way, and nobody waits for it.
process.exit(code);
