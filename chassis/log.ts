import { pino } from 'pino';
import type { DestinationStream, Logger, LoggerOptions } from 'pino';
import { RepeatedLines } from './repeated-lines.ts';
import { currentTrace, idsOf } from './trace.ts';

export type { Logger } from 'pino';

/** Pino's number of the level. */
const WARN = 40;

/** A line's text and its error's; whom and what else it names may differ. */
function whatItSays(line: readonly unknown[]): string {
  const texts = line.filter((part) => typeof part === 'string');
  const error = (line[0] as { err?: unknown } | undefined)?.err;
  return [...texts, error instanceof Error ? error.message : ''].join('\n');
}

/**
 * A JSON-lines logger that names its process and the current span. Headers and values that may
 * hold a secret are censored. Of warnings and errors that say the same, five in ten seconds are
 * written; the next one says in `repeated` how many were left out.
 * @param name the process, as `npm start` shows it
 * @param destination where lines go; standard output when absent
 */
export function createLog(name: string, level = 'info', destination?: DestinationStream): Logger {
  const repeated = new RepeatedLines();
  const options: LoggerOptions = {
    name,
    level,
    base: { name, pid: process.pid },
    redact: {
      paths: ['*.authorization', '*.cookie', '*.password', '*.token', 'headers.authorization'],
      censor: '[redacted]',
    },
    hooks: {
      logMethod(line, method, number) {
        const left = number < WARN ? 0 : repeated.admit(whatItSays(line));
        if (left === undefined) return;
        if (left > 0 && typeof line[0] === 'object') {
          (line as unknown[])[0] = { ...(line[0] as object), repeated: left };
        }
        method.apply(this, line);
      },
    },
    mixin: () => {
      const trace = currentTrace();
      return trace === undefined ? {} : idsOf(trace);
    },
  };
  return destination ? pino(options, destination) : pino(options);
}
