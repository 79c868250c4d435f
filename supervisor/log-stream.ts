import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { prettyFactory } from 'pino-pretty';
import type { LogSink } from './log-sink.ts';

const KEPT_LINES = 50;
/** ANSI colours, one for each process in turn. */
const COLOURS = [36, 33, 32, 35, 34, 31, 96, 93];

type Format = (name: string, line: string) => string;

interface StreamOptions {
  readonly write: (text: string) => void;
  readonly format: Format;
}

/** All processes on one stream, line by line. */
export function logStream({ write, format }: StreamOptions): LogSink {
  const kept = new Map<string, string[]>();
  const keep = (name: string, line: string): void => {
    const lines = kept.get(name) ?? [];
    lines.push(line);
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
    close: () => {},
  };
}

/** For machines: every line is a JSON object that names its process, also what is not from pino. */
export const jsonLines: Format = (name, line) =>
  line.startsWith('{') && line.endsWith('}')
    ? line
    : JSON.stringify({ level: 30, time: Date.now(), name, msg: line });

/** For people: time, level and message, behind the name of the process. */
export function prettyLines(colour: boolean): Format {
  const colours = new Map<string, number>();
  const pretty = prettyFactory({
    colorize: colour,
    ignore: 'pid,hostname,name',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
  return (name, line) => {
    const prefix = `${name.padEnd(10)}|`;
    const text = line.startsWith('{') ? pretty(line).trimEnd() : line;
    if (!colour) return indent(prefix, text);
    if (!colours.has(name)) colours.set(name, COLOURS[colours.size % COLOURS.length] ?? 0);
    return indent(`\u001b[${colours.get(name)}m${prefix}\u001b[0m`, text);
  };
}

/** Stack traces span lines: each of them is prefixed. */
function indent(prefix: string, text: string): string {
  return text
    .split('\n')
    .map((line) => `${prefix} ${line}`)
    .join('\n');
}
