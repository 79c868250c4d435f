import { Command } from 'commander';
import { packageVersion } from '../../chassis/index.ts';
import { declarationsOf } from './commands/index.ts';
import type { Run } from './add-command.ts';

/**
 * What `fig` understands: all its commands, or the one that a command line names.
 * @param words the command line, without the interpreter and the script
 */
export async function createProgram(run: Run, words: readonly string[] = []): Promise<Command> {
  const program = new Command('fig')
    .description('Moves capabilities out of a running monolith, and back.')
    .option('--config <file>', 'the configuration, when it is not the nearest fig.config.*')
    .version(`fig ${packageVersion()}`, '--version', 'print the version')
    .showHelpAfterError('(fig --help shows what there is)')
    .addHelpText('after', EXAMPLES);
  for (const declare of await declarationsOf(words[0])) declare(program, run);
  return program;
}

const EXAMPLES = `
Examples:
  fig status                         where everything is
  fig up                             run the facade and the engine, until Ctrl-C
  fig init                           propose what to move, and write a configuration
  fig assess --database URL          what fits, before anything is configured
  fig check                          whether the mappings lose anything
  fig backfill inventory             copy, then follow
  fig shadow inventory 100           compare the answers to all reads
  fig ramp inventory 10              a tenth of the customers read from the service
  fig reconcile inventory            compare row by row
  fig switch inventory               the service owns the writes
  fig reverse inventory              the monolith owns them again
The configuration is the file of --config or FIG_CONFIG, or the nearest fig.config.ts (.js, .json, .yaml) of this
folder and those above it. The system is found through system.json in the folder .fig beside it (or $FIG_DATA_DIR),
or by the variables ENGINE_URL, ADMIN_URL, *_DATABASE_URL and FIG_FLAGS_FILE.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused by a gate, 4 timed out, 5 needs a choice (fig assess),
130 interrupted.`;
