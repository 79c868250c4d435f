import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Where the lines of all processes go. */
export interface LogSink {
  /** What to give a child as its standard output and standard error. */
  stdio(name: string): number | 'pipe';
  /**
   * Takes over a child that was given `pipe`. What a quiet one says is kept for `tail` only: Redis
   * greets at length.
   */
  attach(name: string, child: ChildProcess, options?: { readonly quiet: boolean }): void;
  /** Writes one line on behalf of a process. */
  write(name: string, line: string): void;
  /** The last lines of a process, for the message when it can't start. */
  tail(name: string, count: number): readonly string[];
  /** Keeps lines in files of a folder as well; absent where that is all that is done with them. */
  keepIn?(folder: string): void;
  close(): void;
}

/**
 * One file for each process. Children write to it themselves, so that their last words are there
 * even when their supervisor is gone.
 */
export function logFiles(directory: string): LogSink {
  mkdirSync(directory, { recursive: true });
  const files = new Map<string, number>();
  const pathOf = (name: string): string => join(directory, `${name}.log`);
  const open = (name: string): number => {
    const known = files.get(name);
    if (known !== undefined) return known;
    const file = openSync(pathOf(name), 'a');
    files.set(name, file);
    return file;
  };
  return {
    stdio: open,
    attach: () => {},
    write: (name, line) => {
      writeSync(open(name), `${line}\n`);
    },
    tail: (name, count) => {
      open(name);
      return readFileSync(pathOf(name), 'utf8').trimEnd().split('\n').slice(-count);
    },
    close: () => {
      for (const file of files.values()) closeSync(file);
      files.clear();
    },
  };
}
