import { parseArgs } from 'node:util';
import { ConfigurationError } from '../chassis/index.ts';
import type { Environment } from '../chassis/index.ts';

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
    throw new ConfigurationError(`${(error as Error).message}; usage: facade [--config FILE]`, {
      cause: error,
    });
  }
}
