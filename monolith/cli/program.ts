import { Command } from 'commander';
import type { RunWork } from '../../chassis/cli/index.ts';
import { packageVersion } from '../../chassis/index.ts';
import { addProjections } from './projections.ts';
import { addSagas } from './sagas.ts';
import type { Run } from './shop.ts';

/**
 * What `shop` understands: all its commands.
 * @param runWithout runs what needs no database of the monolith
 */
export function createShopProgram(run: Run, runWithout: RunWork, env: NodeJS.ProcessEnv): Command {
  const program = new Command('shop')
    .description('Looks after the shop itself: orders that wait for a decision, and read models.')
    .version(`shop ${packageVersion()}`, '--version', 'print the version')
    .showHelpAfterError('(shop --help shows what there is)')
    .addHelpText('after', NOTES);
  addSagas(program, run);
  addProjections(program, runWithout, env);
  return program;
}

const NOTES = `
Examples:
  shop sagas                         orders under way, and those that are stuck
  shop sagas show place:0190...      what has happened to one, step by step
  shop sagas retry --all             take the steps again of all that are stuck
  shop projections rebuild orders    build a read model anew beside the one that is shown
The database is found through $FIG_DATA_DIR/system.json (.fig by default), or by MONOLITH_DATABASE_URL.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused as things are, 130 interrupted.`;
