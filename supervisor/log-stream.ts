import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { LogWriter } from '../chassis/logs/index.ts';
import type { Format } from '../chassis/logs/index.ts';
import type { LogSink } from './log-sink.ts';

const KEPT_LINES = 50;

interface StreamOptions {
  readonly write: (text: string) => void;
  readonly format: Format;
}

/** All processes on one stream, line by line. */
export function logStream({ write, format }: StreamOptions): LogSink {
  const kept = new Map<string, string[]>();
  let files: LogWriter | undefined;
  const keep = (name: string, line: string): void => {
    const lines = kept.get(name) ?? [];
    lines.push(line);
    files?.write(name, line);
    if (lines.length > KEPT_LINES) lines.shift();
    kept.set(name, lines);
  };
  const take = (name: string, line: string): void => {
    if (line.trim() === '') return;
    keep(name, line);
    write(`${format(name, line)}\n`);
  };
  return {
    stdio: () => 'pipe',
    attach: (name, child: ChildProcess, { quiet } = { quiet: false }) => {
      const heard = quiet ? keep : take;
      for (const stream of [child.stdout, child.stderr]) {
        if (stream) createInterface({ input: stream }).on('line', (line) => heard(name, line));
      }
    },
    write: take,
    tail: (name, count) => (kept.get(name) ?? []).slice(-count),
    keepIn: (folder) => {
      files = new LogWriter(folder);
    },
    close: () => files?.close(),
  };
}
