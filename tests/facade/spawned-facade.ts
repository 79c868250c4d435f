import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { FigConfigInput } from '../../routing/index.ts';
import { createFlagFile, flagsOf, setFlags } from '../../routing/index.ts';
import { asOperator, projectRoot } from '../../system/index.ts';
import { eventually, onFailure } from '../support/index.ts';

/** A facade in a process of its own, as `npm run build` has made it. */
export interface SpawnedFacade {
  readonly url: string;
  readonly port: number;
  readonly adminUrl: string;
  /** Headers of an operator. */
  readonly operator: Readonly<Record<string, string>>;
  readonly pid: number;
  /** All that it has logged. */
  log(): string;
  flags(shares: Readonly<Record<string, number>>): Promise<void>;
  /** Puts another configuration in the place of the one it has. */
  configure(config: FigConfigInput | string): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** What it holds on to, once all garbage is collected. */
  memory(): Promise<Holding>;
  /** How the process ended, once it has. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

export interface Holding {
  readonly heapBytes: number;
  /** Open connections, to clients and to upstreams. */
  readonly sockets: number;
}

interface SpawnOptions {
  /** An empty folder. */
  readonly folder: string;
  readonly config: FigConfigInput | string;
  readonly env?: Readonly<Record<string, string>>;
  /** Resolves at once instead of when it listens. */
  readonly unready?: boolean;
  /** False: there is no flag file yet. */
  readonly flagsMade?: boolean;
}

const PROGRAM = join(projectRoot, 'dist', 'facade', 'main.js');
const PROBE = join(projectRoot, 'tests', 'facade', 'memory-probe.mjs');

/** Starts a facade and stops it after `use`. */
export async function withSpawnedFacade<T>(
  { folder, config, env = {}, unready = false, flagsMade = true }: SpawnOptions,
  use: (facade: SpawnedFacade) => Promise<T>,
): Promise<T> {
  const configFile = join(folder, 'fig.config.yaml');
  const flagsFile = join(folder, 'flags.json');
  const configure = async (next: FigConfigInput | string): Promise<void> => {
    // At once: a half-written one would be complained about.
    await writeFile(`${configFile}.next`, typeof next === 'string' ? next : JSON.stringify(next));
    await rename(`${configFile}.next`, configFile);
  };
  await configure(config);
  if (flagsMade) await createFlagFile(flagsFile, flagNames(config));
  const child = fork(PROGRAM, [], {
    execArgv: ['--enable-source-maps', '--expose-gc', '--import', PROBE],
    env: {
      PATH: process.env['PATH'],
      FIG_CONFIG: configFile,
      FIG_FLAGS_FILE: flagsFile,
      FIG_DATA_DIR: folder,
      FACADE_PORT: '0',
      ADMIN_PORT: '0',
      ENGINE_URL: 'http://127.0.0.1:9',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let log = '';
  onFailure(() => `--- the last lines of the facade\n${log.split('\n').slice(-20).join('\n')}`);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (log += text));
  }
  let ports: Record<string, number> | undefined;
  child.on('message', (message: { ports?: Record<string, number> }) => {
    ports = message.ports ?? ports;
  });
  let end: number | NodeJS.Signals | undefined;
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, signal) => {
      end = signal ?? code ?? 0;
      resolve(end);
    });
  });
  try {
    if (!unready) {
      await eventually(() => {
        if (end !== undefined) throw new Error(`the facade ended (${end}):\n${log}`);
        return ports !== undefined;
      });
    }
    const { facade = 0, admin = 0 } = ports ?? {};
    return await use({
      url: `http://127.0.0.1:${facade}`,
      port: facade,
      adminUrl: `http://127.0.0.1:${admin}`,
      operator: asOperator({ env: { FIG_DATA_DIR: folder, ...env } }),
      pid: child.pid ?? 0,
      log: () => log,
      flags: (shares) => setFlags(flagsFile, shares),
      configure,
      signal: (name) => void child.kill(name),
      memory: () => memoryOf(child),
      ended,
    });
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

/** None where the configuration is one that can't be used. */
function flagNames(config: FigConfigInput | string): readonly string[] {
  try {
    const { capabilities } = (
      typeof config === 'string' ? parse(config) : config
    ) as FigConfigInput;
    return Object.keys(capabilities).flatMap(flagsOf);
  } catch {
    return [];
  }
}

function memoryOf(child: ChildProcess): Promise<Holding> {
  return new Promise((resolve) => {
    const hear = (message: Holding & { readonly type: string }): void => {
      if (message.type !== 'memory') return;
      child.off('message', hear);
      resolve(message);
    };
    child.on('message', hear);
    child.send({ type: 'memory' });
  });
}
