import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Environment } from '../chassis/index.ts';
import { marker } from './marker.ts';
import type { ProcessDefinition } from './process-definition.ts';
import { processOutput } from './run-supervisor.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs one process until a signal stops it, or it ends.
 * @returns its exit code
 */
export async function runAlone(
  { name, entry }: ProcessDefinition,
  env: Environment,
  dataDir: string,
): Promise<number> {
  const sink = process.stdout.isTTY ? processOutput() : undefined;
  const output = sink?.stdio(name) ?? 'inherit';
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', entry, marker(dataDir)],
    // In a group of its own: a Ctrl-C would reach it twice, and a second one ends it at once.
    { env: { ...env }, stdio: ['ignore', output, output, 'ipc'], detached: true },
  );
  sink?.attach(name, child);
  // It closes in order when its channel does, also when this process is killed.
  const stop = (): void => void (child.connected && child.disconnect());
  for (const signal of SIGNALS) process.on(signal, stop);
  // Whoever read along is gone.
  process.stdout.on('error', stop);
  const [code] = (await once(child, 'exit')) as [number | null];
  for (const signal of SIGNALS) process.off(signal, stop);
  process.stdout.off('error', stop);
  return code ?? 1;
}
