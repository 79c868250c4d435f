import { setTimeout as delay } from 'node:timers/promises';
import { backoff } from '../../chassis/index.ts';
import type { Database, Logger } from '../../chassis/index.ts';
import { MailRefused } from './mailer.ts';
import type { Mailer } from './mailer.ts';
import { endMessage, postpone, takeDue } from './messages.ts';
import type { Message } from './messages.ts';

interface OutgoingOptions {
  readonly database: Database;
  readonly mailer: Mailer;
  readonly log: Logger;
  readonly pollMs?: number;
  readonly retry?: { readonly firstMs: number; readonly longestMs: number };
}

const RETRY = { firstMs: 1_000, longestMs: 300_000 };

/**
 * Sends messages that wait, one after the other and those of an order in their order, each at least once. One that the mail server refuses for good is a
 * dead letter; any other failure is repeated for ever, with pauses that grow to five minutes.
 * @returns stops it, after the message under way
 */
export function startOutgoing(options: OutgoingOptions): () => Promise<void> {
  const { database, mailer, log, pollMs = 250, retry = RETRY } = options;
  const stopping = new AbortController();
  let away = false;

  async function sendNext(): Promise<boolean> {
    const message = await database.transaction((trx) => takeDue(trx, 2 * mailer.timeoutMs));
    if (!message) return false;
    const failed = await mailer.send(message).then(
      () => undefined,
      (error: unknown) => error ?? new Error('unknown'),
    );
    await database.transaction((trx) => {
      if (failed === undefined) return endMessage(trx, message.id, 'sent');
      if (failed instanceof MailRefused) return endMessage(trx, message.id, 'refused', failed);
      return postpone(trx, message.id, backoff(message.attempts, retry), failed);
    });
    report(message, failed);
    return true;
  }

  /** The first failure of several; a message that is refused each time. */
  function report({ id, attempts }: Message, failed: unknown): void {
    if (failed instanceof MailRefused) {
      log.error({ err: failed, message: id, attempts }, 'a message is refused, and a dead letter');
    } else if (failed !== undefined && !away) {
      log.warn({ err: failed, server: mailer.server }, 'messages wait for the mail server');
    } else if (failed === undefined && away) {
      log.info({ server: mailer.server }, 'messages are sent again');
    }
    away = failed !== undefined && !(failed instanceof MailRefused);
  }

  async function run(): Promise<void> {
    const { signal } = stopping;
    while (!signal.aborted) {
      const sent = await sendNext().catch((error: unknown) => {
        log.warn({ err: error }, 'could not look for messages to send');
        return false;
      });
      if (!sent) await delay(pollMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  const running = run();
  return async () => {
    stopping.abort();
    await running;
    mailer.close();
  };
}
