import { CommandError, EXIT, runProgram } from '../../chassis/cli/index.ts';
import type { ExitCode, Surroundings } from '../../chassis/cli/index.ts';
import { databaseTrouble, errorText } from '../../chassis/index.ts';
import type { Migration } from '../../chassis/index.ts';
import { createShopProgram } from './program.ts';
import { withShop } from './shop.ts';

/**
 * Runs one command line of `shop`, the operators' commands of the shop itself: they outlive the migration, and need
 * neither `fig` nor a running process, only the monolith's database.
 * @param words without the interpreter and the script
 * @param migrations the schema that this build works with
 */
export function runShop(
  words: readonly string[],
  migrations: readonly Migration[],
  surroundings: Surroundings = process,
): Promise<ExitCode> {
  return runProgram(
    {
      name: 'shop',
      create: (run) =>
        createShopProgram(
          (options, work) =>
            run(options, (output) =>
              withShop(surroundings.env, migrations, (shop) => work(shop, output)),
            ),
          run,
          surroundings.env,
        ),
      toFailure,
    },
    words,
    surroundings,
  );
}

function toFailure(error: unknown): CommandError {
  if (error instanceof Error && error.name === 'ConfigurationError') {
    return new CommandError(EXIT.failed, 'configuration', error.message);
  }
  const trouble = databaseTrouble(error);
  if (trouble !== undefined) {
    return new CommandError(EXIT.failed, 'database_unavailable', `${trouble}: ${errorText(error)}`);
  }
  return new CommandError(EXIT.failed, 'failed', errorText(error));
}
