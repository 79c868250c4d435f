import { parseArgs } from 'node:util';
import { ConfigurationError } from '../chassis/index.ts';
import type { Environment } from '../chassis/index.ts';

export const HELP = `Usage: npm run facade -- [options]

Runs the facade alone: it passes requests on as its configuration says, and listens at FACADE_PORT
(8080), for operators at ADMIN_PORT (8081).

Options:
  --config <file>  the configuration: .ts, .js, .mjs, .json or .yaml; FIG_CONFIG when left out
  -h, --help       display help for command

Exit code: 0 after a stop, 1 when it could not start, 2 for wrong usage or a setting that can't be used.
`;

/** Whether the command line only asks what it may say. */
export function asksForHelp(parameters: readonly string[]): boolean {
  return parameters.some((word) => word === '--help' || word === '-h');
}

/**
 * What may be said on the command line instead of in the environment.
 * @throws ConfigurationError for arguments that are not known
 */
export function withArguments(env: Environment, parameters: string[]): Environment {
  try {
    const { values } = parseArgs({
      args: parameters,
      // The supervisor marks each process with its data folder; that says nothing to the facade.
      options: { config: { type: 'string' }, 'fig-data': { type: 'string' } },
    });
    return values.config === undefined ? env : { ...env, FIG_CONFIG: values.config };
  } catch (error) {
    throw new ConfigurationError(`${(error as Error).message}; see npm run facade -- --help`, {
      cause: error,
    });
  }
}
