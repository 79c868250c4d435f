import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { currentTraceId } from './trace.ts';

export type { Logger } from 'pino';

/**
 * A JSON-lines logger that names its process and the current trace. Headers and values that may
 * hold a secret are censored.
 * @param name the process, as `npm start` shows it
 * @param destination where lines go; standard output when absent
 */
export function createLog(name: string, level = 'info', destination?: DestinationStream): Logger {
  const options = {
    name,
    level,
    base: { name, pid: process.pid },
    redact: {
      paths: ['*.authorization', '*.cookie', '*.password', '*.token', 'headers.authorization'],
      censor: '[redacted]',
    },
    mixin: () => {
      const traceId = currentTraceId();
      return traceId === undefined ? {} : { traceId };
    },
  };
  return destination ? pino(options, destination) : pino(options);
}
