import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ConfigurationError } from '../chassis/index.ts';
import type { Environment } from '../chassis/index.ts';
import { defineConfig } from '../strangler/routing/index.ts';
import type { FigConfig } from '../strangler/routing/index.ts';

/** Beside the folder of the compiled facade, where the build puts the root's `fig.config.ts`. */
const DEFAULT = fileURLToPath(new URL('../fig.config.js', import.meta.url));

/**
 * Loads the configuration that FIG_CONFIG names, a module whose default export it is.
 * @throws ConfigurationError when it is not there or can't be used
 */
export async function loadConfig(env: Environment): Promise<FigConfig> {
  const file = env['FIG_CONFIG'] ? resolve(env['FIG_CONFIG']) : DEFAULT;
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(file).href)) as { default?: unknown };
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    throw new ConfigurationError(
      `the configuration ${file} cannot be loaded: ${error instanceof Error ? error.message : String(error)}; set FIG_CONFIG to a module that exports one by default`,
      { cause: error },
    );
  }
  if (module.default === undefined) {
    throw new ConfigurationError(`the configuration ${file} has no default export`);
  }
  return defineConfig(module.default as Parameters<typeof defineConfig>[0]);
}
