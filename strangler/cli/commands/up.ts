import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import type { Command } from 'commander';
import type { Environment } from '../../../chassis/index.ts';
import {
  configFile,
  contractFile,
  dataFolder,
  loadConfig,
  upstreamSettings,
  withFlagsFile,
} from '../../../routing/index.ts';
import type { FigConfig } from '../../../routing/index.ts';
import {
  engineProcess,
  facadeProcess,
  runAlone,
  sharedVariables,
  startProcesses,
  supervise,
} from '../../../supervisor/index.ts';
import type { ProcessDefinition, System } from '../../../supervisor/index.ts';
import { declarationsOf } from '../../engine/declarations.ts';
import { addCommand } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import { CommandError, EXIT, leaveInterrupts } from '../../../chassis/cli/index.ts';
import type { OutputOptions } from '../../../chassis/cli/index.ts';

/** What takes longer to be ready is told, and waited for no more: a monolith may be started afterwards. */
const READY_MS = 10_000;

/** What is to run. */
interface Wanted {
  readonly env: Environment;
  readonly config: FigConfig;
  readonly file: string;
  readonly dataDir: string;
  /** Capabilities whose rows move, which take an engine. */
  readonly moved: readonly string[];
}

/** Declares `fig up`, `fig engine` and `fig facade`. */
export function addUp(program: Command, run: Run): void {
  addCommand(program, 'up', {
    does:
      'run the facade, and the engine with a Redis of its own where a capability has a mapping, ' +
      'until Ctrl-C',
    examples: ['fig up', 'fig up --config shop/fig.config.yaml', 'FACADE_PORT=80 fig up'],
  }).action((options: OutputOptions) => run(options, up, findWanted));
  addCommand(program, 'engine', {
    does: 'run an engine alone: one process, for a system of several machines; REDIS_URL names their Redis',
    examples: ['fig engine', 'REDIS_URL=redis://:secret@redis:6379 fig engine'],
  }).action((options: OutputOptions) => run(options, engine, findWanted));
  addCommand(program, 'facade', {
    does: 'run a facade alone; ENGINE_URL names the engine, REDIS_URL the Redis that both use',
    examples: ['fig facade', 'ENGINE_URL=http://engine:4003 fig facade'],
  }).action((options: OutputOptions) =>
    run(options, (wanted) => alone(facadeProcess, wanted), findWanted),
  );
}

async function findWanted(given: NodeJS.ProcessEnv): Promise<Wanted> {
  const file = configFile(given);
  const dataDir = dataFolder(given);
  const located = { FIG_CONFIG: file, FIG_DATA_DIR: dataDir };
  // The configuration reads the environment of its process, here and in the processes alike.
  Object.assign(given, located);
  const config = await loadConfig(given);
  const env = withFlagsFile(given, config);
  const moved = Object.keys(declarationsOf(config, contractFile(env, config)));
  return { env, config, file, dataDir, moved };
}

async function up(wanted: Wanted): Promise<void> {
  const { env, config, dataDir, moved } = wanted;
  const withEngine = moved.length > 0;
  leaveInterrupts();
  await supervise({
    start: ({ log, signal }) =>
      startProcesses({
        dataDir,
        env,
        variables: () => Promise.resolve(sharedVariables(env, dataDir)),
        processes: withEngine ? [engineProcess, facadeProcess] : [facadeProcess],
        awaitReady: false,
        redis: withEngine || usesRegistry(config),
        redisCache: `${dataDir}/programs`,
        ports: 'default',
        cwd: process.cwd(),
        log,
        signal,
        // The first process makes the token. What a flag file asked for that was lost since must not be made up.
        flags: ({ env: shared }) => (existsSync(shared['FIG_TOKEN_FILE'] ?? '') ? undefined : []),
      }),
    readyText: (system) => readyText(system, wanted),
  });
}

function usesRegistry({ upstreams }: FigConfig): boolean {
  return Object.values(upstreams).some(
    (upstream) => typeof upstream !== 'string' && upstream.registry !== undefined,
  );
}

async function engine(wanted: Wanted): Promise<void> {
  if (wanted.moved.length === 0) {
    const message = `no capability of ${wanted.file} has databases and a mapping: there is nothing for an engine to do`;
    throw new CommandError(EXIT.usage, 'no_mapping', message, 'fig facade');
  }
  await alone(engineProcess, wanted);
}

async function alone(definition: ProcessDefinition, { env, dataDir }: Wanted): Promise<void> {
  leaveInterrupts();
  const code = await runAlone(definition, env, dataDir);
  if (code === 0) return;
  const message = `the ${definition.name} ended with code ${code}; its last line says why`;
  throw new CommandError(code === 2 ? EXIT.usage : EXIT.failed, 'process_ended', message);
}

/** Where to look, and what to try. */
async function readyText(system: System, wanted: Wanted): Promise<string> {
  const { config, file, dataDir, moved } = wanted;
  const { facade = '', admin = '' } = system.urls;
  const monolith = upstreamSettings(config.upstreams[config.monolith] ?? '').url;
  const first = moved[0] ?? Object.keys(config.capabilities)[0];
  const next = moved.length > 0 ? 'fig check' : `fig ramp ${first} 10`;
  const waiting = await troubles(system);
  return [
    ...(waiting.length === 0
      ? ['Fig is ready.']
      : ['Fig runs, and waits:', ...waiting.map((line) => `  ${line}`)]),
    '',
    `  the facade         ${facade}    in front of ${config.monolith} (${monolith})`,
    `  the console        ${admin}/console/    fig open lets a browser in`,
    `  the configuration  ${short(file)}`,
    `  the data           ${short(dataDir)}`,
    ...(moved.length === 0 ? [] : [`  rows move for      ${moved.join(', ')}`]),
    '  state              fig status, fig doctor',
    ...(first === undefined ? [] : [`  next               ${next}`]),
    '',
    '  Ctrl-C stops it; data and flags stay.',
    '',
  ].join('\n');
}

/** Why a process is not ready, a line each; others go on meanwhile. */
async function troubles(system: System): Promise<readonly string[]> {
  const names = system.names.filter((name) => name !== 'redis');
  const results = await Promise.allSettled(names.map((name) => system.ready(name, READY_MS)));
  return results.flatMap((result) =>
    result.status === 'rejected' ? [(result.reason as Error).message] : [],
  );
}

/** A path below this folder goes by its relative one. */
function short(path: string): string {
  const below = relative(process.cwd(), path);
  return below === '' || below.startsWith('..') ? path : below;
}
