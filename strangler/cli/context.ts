import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  ConfigurationError,
  readPort,
  readSystemEnv,
  serviceUrl,
  tokenFile,
  tokenIn,
  START_COMMAND,
} from '../../chassis/index.ts';
import type { Environment, OperatorToken } from '../../chassis/index.ts';
import { declarationsOf } from '../engine/declarations.ts';
import type { DataDeclaration } from '../engine/index.ts';
import { contractFile, dataFolder, loadConfig, withFlagsFile } from '../../routing/index.ts';
import type { FigConfig } from '../../routing/index.ts';
import { CommandError, EXIT } from '../../chassis/cli/index.ts';
import { known } from './suggest.ts';

/** The system a command is about, and how to reach it. */
export interface Context {
  readonly env: Environment;
  readonly engineUrl: string;
  /** Whether `npm start` or `fig up` runs, which starts an engine again that ends. */
  readonly restartsEngine: boolean;
  /** The facades' doors for operators, as ADMIN_URL names them, separated by commas. */
  readonly adminUrls: readonly string[];
  /** What engine and facades want to see. */
  readonly token: OperatorToken;
  readonly tokenFile: string;
  readonly config: FigConfig;
  /** All capabilities, also those of which no rows move. */
  readonly capabilities: readonly string[];
  /** Those whose rows move. */
  readonly declarations: Readonly<Record<string, DataDeclaration>>;
}

/**
 * Finds the system: what `npm start` or `fig up` wrote into the data folder, below what the environment says.
 * @throws ConfigurationError
 */
export async function findSystem(env: NodeJS.ProcessEnv): Promise<Context> {
  const given = env['FIG_DATA_DIR'];
  const directory = dataFolder(env);
  // Asked of nothing at all, every question would have an answer that means nothing.
  if (given && !existsSync(directory)) {
    throw new ConfigurationError(
      `FIG_DATA_DIR=${given} names a folder that is not there: ${directory}; give the one that ${START_COMMAND} uses`,
    );
  }
  const found = await readSystemEnv(join(directory, 'system.json'));
  env['FIG_DATA_DIR'] ||= directory;
  // The configuration module reads the environment of its process.
  for (const [variable, value] of Object.entries(found.env)) env[variable] ||= value;
  const config = await loadConfig(env);
  const engineUrl = serviceUrl(env, 'ENGINE_URL', readPort(env, 'ENGINE_PORT', 4003));
  return {
    env: withFlagsFile(env, config),
    token: tokenIn(tokenFile(env)),
    tokenFile: tokenFile(env),
    engineUrl,
    restartsEngine: isAlive(found.pid) && env['ENGINE_URL'] === found.env['ENGINE_URL'],
    adminUrls: (env['ADMIN_URL'] ?? '')
      .split(',')
      .filter((url) => url.trim() !== '')
      .map((url) => serviceUrl({ ADMIN_URL: url.trim() }, 'ADMIN_URL', 8081)),
    config,
    capabilities: Object.keys(config.capabilities),
    declarations: declarationsOf(config, contractFile(env, config)),
  };
}

function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process can't be signalled, and lives.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A capability whose rows move. @throws CommandError for any other name */
export function declarationOf(context: Context, capability: string): DataDeclaration {
  if (context.capabilities.includes(capability) && !(capability in context.declarations)) {
    const message = `no rows of ${capability} move: it has no mapping`;
    throw new CommandError(EXIT.usage, 'no_mapping', message, `fig ramp ${capability} 10`);
  }
  const name = known('capability', capability, Object.keys(context.declarations));
  return context.declarations[name] as DataDeclaration;
}

/** One capability's declaration, or all of them. @throws CommandError for an unknown name */
export function declarationsFor(
  context: Context,
  capability: string | undefined,
): readonly DataDeclaration[] {
  if (capability === undefined) return Object.values(context.declarations);
  return [declarationOf(context, capability)];
}

/** Where facades answer operators, or where one does by default. */
export function adminUrlsOf({ adminUrls }: Context): readonly string[] {
  return adminUrls.length > 0 ? adminUrls : ['http://127.0.0.1:8081'];
}
