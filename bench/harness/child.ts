import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { processTable, usageBelow } from './processes.ts';

/** A process that takes part in a measurement. */
export interface Child {
  readonly pid: number;
  /** Resident memory in bytes; undefined where the system does not tell. */
  memory(): Promise<number | undefined>;
  stop(): Promise<void>;
}

interface SpawnOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Processors it may use, such as `0` or `0,1`; ignored where there is no taskset. */
  readonly cores?: string | undefined;
}

/** A Node program that tells over its channel where it listens. */
export interface NodeChild extends Child {
  readonly ports: Readonly<Record<string, number>>;
}

const START_MS = 20_000;
const STOP_MS = 3_000;

/** What runs: it ends with this process, whatever ends it. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function known(child: ChildProcess): void {
  running.add(child);
  child.once('exit', () => running.delete(child));
}

/**
 * Starts a compiled program and waits until it says `{ type: 'listening', ports }`.
 * @throws when it ends before, or says nothing for 20 s; the message holds what it wrote
 */
export async function startNode(
  file: string,
  { env = {}, cores }: SpawnOptions,
): Promise<NodeChild> {
  const [command, ...parameters] = pinned(cores, [process.execPath, file]);
  const child = spawn(command as string, parameters, {
    env: { ...process.env, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  known(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream
      ?.setEncoding('utf8')
      .on('data', (text: string) => (output = (output + text).slice(-4_000)));
  }
  const ports = await new Promise<Record<string, number>>((resolve, reject) => {
    const timer = setTimeout(() => fail('did not listen'), START_MS);
    const fail = (what: string): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`${file} ${what}:\n${output}`));
    };
    child.once('error', (error) => fail(error.message));
    const ended = (code: number | null, signal: string | null): void =>
      fail(`ended (${signal ?? code})`);
    child.once('exit', ended);
    child.on('message', (message: { type?: string; ports?: Record<string, number> }) => {
      if (message.type !== 'listening' || !message.ports) return;
      clearTimeout(timer);
      child.off('exit', ended);
      resolve(message.ports);
    });
  });
  return { ...handle(child), ports };
}

/** Starts a command that tells nothing; `ready` is asked until it no longer throws. */
export async function startCommand(
  command: readonly string[],
  { cores }: SpawnOptions,
  ready: () => Promise<unknown>,
): Promise<Child> {
  const [name, ...parameters] = pinned(cores, command);
  const child = spawn(name as string, parameters, { stdio: ['ignore', 'ignore', 'inherit'] });
  known(child);
  const started = performance.now();
  for (;;) {
    try {
      await ready();
      return handle(child);
    } catch (error) {
      if (child.exitCode !== null || performance.now() - started > START_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function handle(child: ChildProcess): Child {
  const pid = child.pid as number;
  return {
    pid,
    memory: async () => usageBelow(await processTable(), pid)?.memory,
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) {
          resolve();
          return;
        }
        const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
        child.once('exit', () => {
          clearTimeout(timer);
          resolve();
        });
        child.kill('SIGTERM');
      }),
  };
}

/** Prefixes a command so that it runs on these processors only, where that can be done. */
export function pinned(cores: string | undefined, command: readonly string[]): readonly string[] {
  return cores === undefined ? command : ['taskset', '-c', cores, ...command];
}
