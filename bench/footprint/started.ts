import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { figProcesses, projectRoot, readSystemFile, withoutSystem } from '../../system/index.ts';

/** A system that `npm start` runs on a data folder. */
export interface Started {
  /** From the command to the line that says that it is ready. */
  readonly readyMs: number;
  /** Of each of its processes, the supervisor included, by name; not that of npm. */
  readonly pids: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

const PATIENCE_MS = 120_000;
const KILL_MS = 20_000;

/** The environment of a separate system: free ports, its own data. */
export function systemEnv(dataDir: string): Record<string, string | undefined> {
  const ports = figProcesses.flatMap((process) => process.ports);
  return {
    ...withoutSystem(process.env),
    ...Object.fromEntries(ports.map(({ variable }) => [variable, '0'])),
    FIG_DATA_DIR: dataDir,
    FIG_CONTRACT: 'off',
  };
}

/** Runs `npm start` until it is ready. @throws when it ends before, with what it wrote */
export async function npmStart(dataDir: string): Promise<Started> {
  const began = performance.now();
  // A group of its own: what is sent to the group reaches the system, whatever npm does with it.
  const child = spawn('npm', ['start'], {
    cwd: projectRoot,
    env: systemEnv(dataDir),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const kill = (): void => signal(child, 'SIGKILL');
  process.once('exit', kill);
  const stop = async (): Promise<void> => {
    const timer = setTimeout(kill, KILL_MS);
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      signal(child, 'SIGTERM');
      await ended;
    }
    clearTimeout(timer);
    process.off('exit', kill);
  };
  try {
    await untilReady(child);
    const readyMs = performance.now() - began;
    const file = readSystemFile(dataDir);
    if (file === undefined) throw new Error(`${dataDir} has no system.json`);
    const processes = Object.entries(file.processes).map(([name, { pid }]) => [name, pid] as const);
    return { readyMs, pids: new Map([['supervisor', file.pid], ...processes]), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, name);
  } catch (error) {
    // Its last process has ended.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function untilReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    const fail = (what: string): void => reject(new Error(`npm start ${what}:\n${output}`));
    const timer = setTimeout(() => fail(`was not ready in ${PATIENCE_MS} ms`), PATIENCE_MS);
    const read = (text: string): void => {
      output = (output + text).slice(-8_000);
      if (!output.includes('Fig is ready')) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout?.setEncoding('utf8').on('data', read);
    child.stderr?.setEncoding('utf8').on('data', read);
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`ended with ${code}`));
  });
}
