import { join } from 'node:path';
import { databaseUrl, readPort, tokenFile } from '../chassis/index.ts';
import type { Environment } from '../chassis/index.ts';
import type { ProcessDefinition } from './process-definition.ts';
import { compiled } from './project.ts';

/** `free` lets every process pick a free port, `default` takes the variables or the defaults. */
export type PortChoice = 'free' | 'default';

const UNLEASH = ['URL', 'TOKEN', 'ADMIN_TOKEN', 'PROJECT', 'ENVIRONMENT'].map(
  (name) => `UNLEASH_${name}`,
);

/** How callers are known: what all processes of a system have to agree on. */
const AUTH = [
  'FIG_AUTH',
  'FIG_AUTH_ISSUER',
  'FIG_AUTH_AUDIENCE',
  'FIG_AUTH_JWKS',
  'FIG_AUTH_SECRET_FILE',
  'FIG_IDENTITY_KEY_FILE',
  'FIG_IDENTITY_JWKS',
];

/** Variables that all processes share, before anything has started. */
export function sharedVariables(
  env: Environment,
  dataDir: string,
  processes: readonly ProcessDefinition[],
): Record<string, string> {
  const variables: Record<string, string> = {
    FIG_DATA_DIR: dataDir,
    FIG_FLAGS_FILE: env['FIG_FLAGS_FILE'] || join(dataDir, 'flags.json'),
    FIG_TOKEN_FILE: tokenFile({ ...env, FIG_DATA_DIR: dataDir }),
    FIG_CONFIG: env['FIG_CONFIG'] || compiled('fig.config.js'),
  };
  // A command in another terminal needs these, too.
  for (const variable of [...UNLEASH, ...AUTH]) {
    const value = env[variable];
    if (value) variables[variable] = value;
  }
  for (const { database } of processes) {
    if (!database) continue;
    variables[database.variable] = databaseUrl(
      { ...env, FIG_DATA_DIR: dataDir },
      database.variable,
      database.file,
    );
  }
  return variables;
}

/** The ports that the processes are to open, by variable. */
export function portVariables(
  env: Environment,
  ports: PortChoice,
  processes: readonly ProcessDefinition[],
): Record<string, number> {
  const wanted: Record<string, number> = {};
  for (const { variable, fallback } of processes.flatMap((process) => process.ports)) {
    wanted[variable] = ports === 'free' ? 0 : readPort(env, variable, fallback);
  }
  return wanted;
}

/** The address under which this machine reaches a process that listens on `host`. */
export function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

/**
 * This environment without the variables that point at a system: what starts with it is a system
 * of its own, whatever the caller's shell is set up for.
 */
export function withoutSystem(env: Environment): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => !name.startsWith('FIG_') && !SYSTEM_VARIABLE.test(name) && name !== 'HOST',
    ),
  );
}

const SYSTEM_VARIABLE =
  /^((FACADE|ADMIN|MONOLITH|INVENTORY|PAYMENT|ENGINE|PROVIDER)_(PORT|URL|DATABASE_URL)|REDIS_URL|UNLEASH_\w+)$/;
