import { setTimeout as delay } from 'node:timers/promises';
import closeWithGrace from 'close-with-grace';
import { startDraining } from './draining.ts';
import { ConfigurationError, readNumber } from './env.ts';
import type { Environment } from './env.ts';
import { createLog } from './log.ts';
import type { Logger } from './log.ts';
import { keepFilesPrivate } from './private-files.ts';
import { startTelemetry } from './telemetry/index.ts';

/** A process that serves: where it listens, and how to stop it. */
export interface Running {
  readonly ports: Readonly<Record<string, number>>;
  close(): Promise<void>;
}

/** How long a process that stops waits for what is under way, after it has drained. */
export const CLOSE_MS = 8_000;

interface Context {
  readonly env: Environment;
  readonly log: Logger;
}

/**
 * Runs one process from start to stop: logs, tells the supervisor where it listens, and closes in
 * order on SIGINT, SIGTERM, an uncaught error, or when its supervisor is gone; before that it still serves
 * for FIG_DRAIN_MS, and says that it is not ready. Never returns
 * normally; a configuration error ends the process with code 2 and one clear line.
 */
export async function runProcess(
  name: string,
  start: (context: Context) => Promise<Running>,
): Promise<void> {
  keepFilesPrivate();
  const log = createLog(name, process.env['LOG_LEVEL'] || 'info');
  const stopTelemetry = await startTelemetry(name, process.env, log);
  let running: Running | undefined;
  let drainMs = 0;
  try {
    drainMs = readNumber(process.env, 'FIG_DRAIN_MS', 0);
  } catch (error) {
    failStart(log, error);
  }
  const grace = closeWithGrace(
    { delay: CLOSE_MS + drainMs, logger: false },
    async ({ err, signal }) => {
      if (err) log.fatal({ err }, 'stopping after an error');
      else log.info({ signal, drainMs }, 'stopping');
      startDraining();
      // A load balancer looks at /readyz every few seconds, and sends requests until then.
      if (!err && running && drainMs > 0) await delay(drainMs);
      await running?.close();
      await stopTelemetry();
    },
  );
  // The channel closes when the supervisor dies, also by SIGKILL: nothing is left behind.
  if (process.send) process.once('disconnect', () => grace.close());
  try {
    running = await start({ env: process.env, log });
  } catch (error) {
    failStart(log, error);
  }
  log.info({ ports: running.ports }, 'listening');
  process.send?.({ type: 'listening', ports: running.ports });
}

function failStart(log: Logger, error: unknown): never {
  if (error instanceof ConfigurationError) log.fatal(error.message);
  else log.fatal({ err: error }, 'could not start');
  process.exit(error instanceof ConfigurationError ? 2 : 1);
}
