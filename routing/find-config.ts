import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ConfigurationError } from '../chassis/index.ts';
import type { Environment } from '../chassis/index.ts';

const NAMES = ['ts', 'mts', 'js', 'mjs', 'json', 'yaml', 'yml'].map(
  (extension) => `fig.config.${extension}`,
);

/**
 * The file of the configuration: the one that FIG_CONFIG names, or the nearest `fig.config.*` of this folder
 * and those above it.
 * @throws ConfigurationError that says how to come by one
 */
export function configFile(env: Environment, folder = process.cwd()): string {
  const file = findConfig(env, folder);
  if (file !== undefined) return file;
  throw new ConfigurationError(
    `there is no configuration: no fig.config.ts, .js, .json or .yaml in ${folder} or a folder above it; ` +
      'fig init writes one, and --config FILE or FIG_CONFIG=FILE names one elsewhere',
  );
}

/**
 * The data folder: the one that FIG_DATA_DIR names, or `.fig` beside the configuration, so that commands find the
 * same system from each folder below.
 */
export function dataFolder(env: Environment, folder = process.cwd()): string {
  if (env['FIG_DATA_DIR']) return resolve(folder, env['FIG_DATA_DIR']);
  const config = findConfig(env, folder);
  return join(config === undefined ? folder : dirname(config), '.fig');
}

/** The same as `configFile`; undefined where there is none. */
export function findConfig(env: Environment, folder = process.cwd()): string | undefined {
  if (env['FIG_CONFIG']) return resolve(folder, env['FIG_CONFIG']);
  for (let above = folder; ; above = dirname(above)) {
    const found = NAMES.map((name) => join(above, name)).find((file) => existsSync(file));
    if (found !== undefined || above === dirname(above)) return found;
  }
}
