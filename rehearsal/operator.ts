import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '../system/index.ts';

/** What one run of the command line gave. */
export interface CommandResult {
  readonly code: number;
  readonly output: unknown;
  readonly errors: string;
}

/** Runs `bin/fig` as an operator does: a process of its own, JSON on standard output. */
export type Operator = (...words: string[]) => Promise<CommandResult>;

const FIG = join(projectRoot, 'bin', 'fig');

export function createOperator(env: Readonly<Record<string, string | undefined>>): Operator {
  return (...words) =>
    new Promise((resolve) => {
      const file = process.execPath;
      execFile(
        file,
        [FIG, ...words, '--json'],
        // It means what it says: nobody is there to be asked.
        { env: { ...env, FIG_YES: '1' }, timeout: 120_000 },
        (error, stdout, stderr) => {
          const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0;
          resolve({ code, output: parseOutput(stdout), errors: stderr });
        },
      );
    });
}

function parseOutput(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
