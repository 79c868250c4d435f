import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A command that ended with another code than 0, with what it wrote. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  /** Whether it was ended because it took longer than it may. */
  readonly isLate: boolean;

  constructor(message: string, isLate = false) {
    super(message);
    this.isLate = isLate;
  }
}

interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The user to run it as, where that is another one. */
  readonly uid?: number;
  readonly gid?: number;
  /** How long it may take, in ms, before it is ended and has failed; for ever when left out. */
  readonly timeout?: number;
}

/**
 * Runs a command to its end and returns what it wrote to standard output.
 * @throws CommandFailed when it can't be started or its code is not 0; the message holds its output
 */
export async function run(
  command: string,
  parameters: readonly string[],
  { env = process.env, ...options }: RunOptions = {},
): Promise<string> {
  const child = spawn(command, parameters, {
    ...options,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let all = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    all += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    all += text;
  });
  const startedAt = performance.now();
  const end = await new Promise<string | number | null>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(signal ?? code));
  });
  if (end === 0) return out;
  const line = [command, ...parameters].join(' ');
  const { timeout } = options;
  const isLate = timeout !== undefined && performance.now() - startedAt >= timeout;
  const why = isLate ? `it did not end within ${timeout / 1_000} s` : String(end);
  throw new CommandFailed(`${line} failed (${why})\n${all.trim()}`, isLate);
}

/** Where a command is on the PATH; undefined when it isn't. */
export function findCommand(name: string, path = process.env['PATH'] ?? ''): string | undefined {
  return path
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
