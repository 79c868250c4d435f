import type { Database } from '../database.ts';
import type { Environment } from '../env.ts';
import { readNumber } from '../env.ts';
import type { Logger } from '../log.ts';
import { createInbox } from './inbox.ts';
import type { Outbox } from './outbox.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Longer than anything is sent again. What comes later still is too late for its place, and has no second effect. */
const INBOX_KEPT_MS = 30 * DAY_MS;
const EVERY_MS = 60 * 60 * 1_000;

/** How long an outbox keeps events that everybody has, in ms: EVENTS_KEPT_DAYS, for ever where that is not set. */
export function eventsKeptMs(env: Environment): number | undefined {
  return env['EVENTS_KEPT_DAYS'] ? readNumber(env, 'EVENTS_KEPT_DAYS', 0) * DAY_MS : undefined;
}

interface KeepOptions {
  readonly database: Database;
  readonly log: Logger;
  /** Where events are published from this database. */
  readonly outbox?: Outbox;
  /** How long delivered events are kept; for ever when undefined. */
  readonly keptMs?: number | undefined;
  /** Whether events are received in this database. */
  readonly receives?: boolean;
  readonly everyMs?: number;
}

/**
 * Deletes now and then the events that have been kept long enough, and the ids of those that were received long ago.
 * @returns stops it
 */
export function keepEvents(options: KeepOptions): () => void {
  const { database, log, outbox, keptMs, receives = false, everyMs = EVERY_MS } = options;
  const inbox = createInbox();
  const timer = setInterval(() => {
    database
      .transaction(async (trx) => {
        if (outbox && keptMs !== undefined) await outbox.forget(trx, Date.now() - keptMs);
        if (receives) await inbox.forget(trx, Date.now() - INBOX_KEPT_MS);
      })
      .catch((error: unknown) => log.warn({ err: error }, 'could not delete old events'));
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
