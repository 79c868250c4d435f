import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ConfigurationError } from '../../chassis/index.ts';
import type { Environment } from '../../chassis/index.ts';
import { defineConfig } from './config.ts';
import type { FigConfig, FigConfigInput } from './config.ts';

/** At the root of the sources, or of what the build made of them. */
function beside(): string {
  const candidates = ['js', 'ts'].map((extension) =>
    fileURLToPath(new URL(`../../fig.config.${extension}`, import.meta.url)),
  );
  return candidates.find((file) => existsSync(file)) ?? (candidates[0] as string);
}

/**
 * Loads the configuration: the module that FIG_CONFIG names, or the project's own, by its default
 * export.
 * @throws ConfigurationError when it is not there or can't be used
 */
export async function loadConfig(env: Environment): Promise<FigConfig> {
  const file = env['FIG_CONFIG'] ? resolve(env['FIG_CONFIG']) : beside();
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(file).href)) as { default?: unknown };
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError(
      `the configuration ${file} can't be loaded: ${reason}; ` +
        'set FIG_CONFIG to a module that exports one by default',
      { cause: error },
    );
  }
  if (module.default === undefined) {
    throw new ConfigurationError(`the configuration ${file} has no default export`);
  }
  return defineConfig(module.default as FigConfigInput);
}
