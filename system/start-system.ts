import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { databaseUrl, refuseNewerDatabase } from '../chassis/index.ts';
import type { Environment } from '../chassis/index.ts';
import { compiled, projectRoot, sharedVariables, startProcesses } from '../supervisor/index.ts';
import type { LogSink, PortChoice, Surroundings, System } from '../supervisor/index.ts';
import { firstLoad } from './first-load.ts';
import type { Load } from './first-load.ts';
import { figProcesses } from './shop-processes.ts';
import type { ShopProcess } from './shop-processes.ts';

export interface StartOptions {
  /** Folder of the databases; FIG_DATA_DIR or `.fig` when absent. */
  readonly dataDir?: string;
  /** The environment that processes inherit; that of this process when absent. */
  readonly env?: Environment;
  readonly ports: PortChoice;
  /** Where lines go; files in `<data folder>/logs` when absent. */
  readonly log?: LogSink;
  /** What to run; everything when absent. */
  readonly processes?: readonly ShopProcess[];
  /** What a new monolith is filled with; the sample when absent. */
  readonly load?: Load;
  /** Gives up starting: what has started is stopped. */
  readonly signal?: AbortSignal;
}

/**
 * Starts the shop: every process in order, the monolith with its first data.
 * @throws ConfigurationError when a newer build has written the data, and what `startProcesses` throws
 */
export async function startSystem(options: StartOptions): Promise<System> {
  const { env = process.env, processes = figProcesses, load = 'sample', ports } = options;
  const dataDir = resolve(options.dataDir ?? (env['FIG_DATA_DIR'] || '.fig'));
  return startProcesses({
    dataDir,
    env,
    async variables() {
      const databases = databaseVariables(env, dataDir, processes);
      await refuseNewerData(processes, databases);
      return { ...sharedVariables(env, dataDir), FIG_CONFIG: configuration(env), ...databases };
    },
    processes,
    ports,
    redis: true,
    cwd: projectRoot,
    ...(options.log && { log: options.log }),
    signal: options.signal,
    flags: flagsOfFirstStart,
    async before(name, surroundings) {
      // Nobody wants a made-up shop in a database of their own.
      const isOwn = Boolean(env['MONOLITH_DATABASE_URL']) && load === 'sample';
      if (name === 'monolith' && !isOwn) await firstLoad(load, surroundings);
    },
  });
}

/** The shop's own, as it was built. */
function configuration(env: Environment): string {
  return env['FIG_CONFIG'] || compiled('fig.config.js');
}

/** Of all databases or none, whichever process needs the newer one. */
async function refuseNewerData(
  processes: readonly ShopProcess[],
  variables: Readonly<Record<string, string>>,
): Promise<void> {
  for (const { database } of processes) {
    if (!database) continue;
    await refuseNewerDatabase(variables[database.variable] ?? '', database.migrations);
  }
}

function databaseVariables(
  env: Environment,
  dataDir: string,
  processes: readonly ShopProcess[],
): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const { database } of processes) {
    if (!database) continue;
    const { variable, file } = database;
    variables[variable] = databaseUrl({ ...env, FIG_DATA_DIR: dataDir }, variable, file);
  }
  return variables;
}

/**
 * The flag file is made on the first start with a data folder. Later one that is missing was lost, and what it
 * asked for must not be made up: then no process gets ready, and says why.
 */
function flagsOfFirstStart({ dataDir, env }: Surroundings): readonly string[] | undefined {
  const isUsed = readdirSync(dataDir).some((name) => name === 'load.json' || name.endsWith('.db'));
  if (isUsed) return undefined;
  // Databases elsewhere may have been moved already, whatever this folder knows.
  const elsewhere = Object.entries(env).some(
    ([name, url]) => name.endsWith('_DATABASE_URL') && url && !url.includes(dataDir),
  );
  return elsewhere ? [] : ['--new'];
}
