import { join, resolve } from 'node:path';
import {
  ConfigurationError,
  createLog,
  listenHost,
  refuseNewerDatabase,
} from '../chassis/index.ts';
import { redisAddress } from '../chassis/redis/index.ts';
import type { Environment } from '../chassis/index.ts';
import { lockData } from './data-lock.ts';
import type { Load } from './first-load.ts';
import { portInUse } from './free-port.ts';
import { clearLeftovers } from './leftovers.ts';
import { logFiles } from './log-sink.ts';
import type { LogSink } from './log-sink.ts';
import { figProcesses } from './process-definition.ts';
import type { ProcessDefinition } from './process-definition.ts';
import { makePrivateData } from './private-data.ts';
import { withRemedy } from './machine-trouble.ts';
import { Supervisor } from './supervisor.ts';
import { portVariables, sharedVariables } from './system-env.ts';
import type { PortChoice } from './system-env.ts';
import type { System } from './system.ts';

export interface StartOptions {
  /** Folder of the databases; FIG_DATA_DIR or `.fig` when absent. */
  readonly dataDir?: string;
  /** The environment that processes inherit; that of this process when absent. */
  readonly env?: Environment;
  readonly ports: PortChoice;
  /** Where lines go; files in `<data folder>/logs` when absent. */
  readonly log?: LogSink;
  /** What to run; everything when absent. */
  readonly processes?: readonly ProcessDefinition[];
  /** What a new monolith is filled with; the sample when absent. */
  readonly load?: Load;
  /** Gives up starting: what has started is stopped. */
  readonly signal?: AbortSignal;
}

/**
 * Starts every process in order and waits until all are ready. When one can't start, everything
 * that did is stopped.
 * @throws ConfigurationError when a port is in use, a variable makes no sense, or a newer build has
 *   written the data
 * @throws AlreadyRunning when a system runs on this data folder
 * @throws StartFailed when a process ends or stays unready, or the data folder can't be written to
 * @throws RedisMissing when there is no Redis
 */
export async function startSystem(options: StartOptions): Promise<System> {
  const { env = process.env, processes = figProcesses } = options;
  const dataDir = resolve(options.dataDir ?? (env['FIG_DATA_DIR'] || '.fig'));
  const host = listenHost(env);
  const ports = portVariables(env, options.ports, processes);
  if (env['REDIS_URL']) redisAddress(env['REDIS_URL']);
  try {
    await refuseNewerData(processes, sharedVariables(env, dataDir, processes));
    return await startIn(dataDir, ports, host, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw withRemedy(error, dataDir);
  }
}

async function startIn(
  dataDir: string,
  ports: Readonly<Record<string, number>>,
  host: string,
  options: StartOptions,
): Promise<System> {
  const { env = process.env, processes = figProcesses, load = 'sample' } = options;
  const { signal = new AbortController().signal } = options;
  makePrivateData(dataDir);
  const lock = lockData(dataDir);
  const sink = options.log ?? logFiles(join(dataDir, 'logs'));
  const log = createLog('supervisor', env['LOG_LEVEL'] || 'info', {
    write: (line: string) => sink.write('supervisor', line.trimEnd()),
  });
  const supervisor = new Supervisor({ dataDir, env, host, log, sink, processes, ports, lock });
  try {
    await clearLeftovers(dataDir, log);
    await refuseTakenPorts(ports, host);
    await supervisor.start(load, signal);
  } catch (error) {
    await supervisor.stop();
    // What a start that was given up ran into by being stopped is of no interest.
    signal.throwIfAborted();
    throw error;
  }
  return supervisor;
}

/** Before anything is written: of all databases or none, whichever process needs the newer one. */
async function refuseNewerData(
  processes: readonly ProcessDefinition[],
  variables: Readonly<Record<string, string>>,
): Promise<void> {
  for (const { database } of processes) {
    if (!database) continue;
    await refuseNewerDatabase(variables[database.variable] ?? '', database.migrations);
  }
}

/** Before anything starts: one clear error instead of six processes to stop again. */
async function refuseTakenPorts(
  ports: Readonly<Record<string, number>>,
  host: string,
): Promise<void> {
  for (const [variable, port] of Object.entries(ports)) {
    if (port === 0 || !(await portInUse(port, host))) continue;
    throw new ConfigurationError(
      `port ${port} on ${host} is in use; stop what listens there, ` +
        `or set ${variable} to another port (0 picks a free one)`,
    );
  }
}
