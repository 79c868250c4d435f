import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { eventually, onFailure } from '../support/index.ts';

/** What `fig up` runs, found by what it says. */
export interface RunningFig {
  /** Where clients ask. */
  readonly url: string;
  readonly adminUrl: string;
  output(): string;
}

interface Options {
  /** The program and its first words, such as `npx` and `fig`. */
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Runs `fig up` on free ports while `use` does, and stops it by Ctrl-C. @returns how it ended */
export async function withFigUp(
  { command: [file, ...words], cwd, env }: Options,
  use: (running: RunningFig) => Promise<void>,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(file, [...words, 'up'], {
    cwd,
    env: { ...env, FACADE_PORT: '0', ADMIN_PORT: '0', ENGINE_PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, which a terminal would send a Ctrl-C to.
    detached: true,
  });
  let output = '';
  onFailure(() => `--- the last lines of fig up\n${output.split('\n').slice(-20).join('\n')}`);
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const ended = once(child, 'close') as Promise<[number | null]>;
  const interrupt = (signal: NodeJS.Signals): void => {
    if (child.exitCode === null && child.signalCode === null)
      process.kill(-(child.pid ?? 0), signal);
  };
  try {
    await eventually(
      () => {
        if (child.exitCode !== null)
          throw new Error(`fig up ended with ${child.exitCode}:\n${output}`);
        return output.includes('Ctrl-C stops it');
      },
      { timeoutMs: 120_000 },
    );
    const told = (what: string): string =>
      new RegExp(`${what} +(http[^ "]+)`).exec(output)?.[1] ?? '';
    await use({
      url: told('the facade'),
      adminUrl: told('the console').replace('/console/', ''),
      output: () => output,
    });
    interrupt('SIGINT');
    const [code] = await ended;
    return { code, output };
  } finally {
    interrupt('SIGKILL');
    await ended;
  }
}
