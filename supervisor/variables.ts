import { join } from 'node:path';
import { readPort, tokenFile } from '../chassis/index.ts';
import type { Environment } from '../chassis/index.ts';
import type { ProcessDefinition } from './process-definition.ts';

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

/** Variables that all processes share, before anything has started; a command in another terminal needs them, too. */
export function sharedVariables(env: Environment, dataDir: string): Record<string, string> {
  const variables: Record<string, string> = {
    FIG_DATA_DIR: dataDir,
    FIG_FLAGS_FILE: env['FIG_FLAGS_FILE'] || join(dataDir, 'flags.json'),
    FIG_TOKEN_FILE: tokenFile({ ...env, FIG_DATA_DIR: dataDir }),
  };
  for (const variable of ['FIG_CONFIG', ...UNLEASH, ...AUTH]) {
    const value = env[variable];
    if (value) variables[variable] = value;
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
