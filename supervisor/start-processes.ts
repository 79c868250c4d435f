import { ConfigurationError, createLog, listenHost } from '../chassis/index.ts';
import { logFolder } from '../chassis/logs/index.ts';
import { redisAddress } from '../chassis/redis/index.ts';
import { lockData } from './data-lock.ts';
import { firstFlags } from './first-flags.ts';
import { portInUse } from './free-port.ts';
import { clearLeftovers } from './leftovers.ts';
import { logFiles } from './log-sink.ts';
import { withRemedy } from './machine-trouble.ts';
import { makePrivateData } from './private-data.ts';
import type { ProcessesOptions, Variables } from './processes-options.ts';
import { Supervisor } from './supervisor.ts';
import type { System } from './system.ts';
import { portVariables } from './variables.ts';

/**
 * Starts every process in order and waits until they are ready. When one can't start, everything that did is
 * stopped.
 * @throws ConfigurationError when a port is in use, or a variable makes no sense
 * @throws AlreadyRunning when a system runs on this data folder
 * @throws StartFailed when a process ends or stays unready, or the data folder can't be written to
 * @throws RedisMissing when there is no Redis
 */
export async function startProcesses(options: ProcessesOptions): Promise<System> {
  const { env, dataDir, processes } = options;
  const host = listenHost(env);
  const ports = portVariables(env, options.ports, processes);
  if (env['REDIS_URL']) redisAddress(env['REDIS_URL']);
  try {
    return await startIn(host, ports, await options.variables(), options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw withRemedy(error, dataDir);
  }
}

async function startIn(
  host: string,
  ports: Readonly<Record<string, number>>,
  variables: Variables,
  options: ProcessesOptions,
): Promise<System> {
  const { env, dataDir, signal = new AbortController().signal } = options;
  makePrivateData(dataDir);
  const lock = await lockData(dataDir);
  const logs = logFolder(dataDir);
  const sink = options.log ?? logFiles(logs);
  sink.keepIn?.(logs);
  const log = createLog('supervisor', env['LOG_LEVEL'] || 'info', {
    write: (line: string) => sink.write('supervisor', line.trimEnd()),
  });
  const supervisor = new Supervisor({ ...options, variables, host, ports, log, sink, lock });
  try {
    await clearLeftovers(dataDir, log);
    await refuseTakenPorts(ports, host);
    const surroundings = { dataDir, env: { ...env, ...variables }, log };
    const words = options.flags(surroundings);
    const flags = words === undefined ? undefined : firstFlags(words, surroundings);
    await supervisor.start(flags, signal);
  } catch (error) {
    await supervisor.stop();
    // What a start that was given up ran into by being stopped is of no interest.
    signal.throwIfAborted();
    throw error;
  }
  return supervisor;
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
