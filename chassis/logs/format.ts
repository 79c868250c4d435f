import { prettyFactory } from 'pino-pretty';

/** ANSI colours, one for each process in turn. */
const COLOURS = [36, 33, 32, 35, 34, 31, 96, 93];

/** A line of a process, as it is shown. */
export type Format = (name: string, line: string) => string;

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
