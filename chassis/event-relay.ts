import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from './database.ts';
import type { EventQueues } from './event-queues.ts';
import type { EventSubscriber, Inbox } from './inbox.ts';
import type { Logger } from './log.ts';
import type { DomainEvent, Outbox } from './outbox.ts';
import { continueTrace, withTrace } from './trace.ts';

interface RelayOptions {
  readonly database: Database;
  readonly outbox: Outbox;
  /** In the same database, so that the outbox learns who has what. */
  readonly inbox: Inbox;
  readonly subscribers: readonly EventSubscriber[];
  readonly queues: EventQueues;
  readonly log: Logger;
  readonly pollMs?: number;
  /** How long an event may be on its way before it is sent again. */
  readonly resendMs?: number;
}

const BATCH = 100;
const PAUSE_WHEN_AWAY_MS = 500;

/**
 * Carries events from a database's outbox to its subscribers, each at least once, and into effect
 * once. An event leaves the outbox when every subscriber has it: what the queues lose is sent again.
 * @returns stops it
 */
export function startEventRelay(options: RelayOptions): () => Promise<void> {
  const { database, outbox, inbox, subscribers, queues, log } = options;
  const { pollMs = 100, resendMs = 10_000 } = options;
  const stopping = new AbortController();
  const wanting = ({ type }: DomainEvent) =>
    subscribers.filter(({ types }) => types.includes(type));

  async function send(): Promise<number> {
    const now = Date.now();
    const events = await outbox.due(database.read, now - resendMs, BATCH);
    if (events.length === 0) return 0;
    await database.settled();
    await Promise.all(
      events.flatMap((event) => wanting(event).map(({ name }) => queues.send(name, event))),
    );
    const wanted = events.filter((event) => wanting(event).length > 0).map(({ id }) => id);
    const unwanted = events.filter((event) => wanting(event).length === 0).map(({ id }) => id);
    await database.transaction(async (trx) => {
      await outbox.markSent(trx, wanted, now);
      await outbox.forget(trx, unwanted);
    });
    return events.length;
  }

  /** The queues say only which event it is: what they hold may be anybody's. */
  async function receive(subscriber: EventSubscriber, id: unknown): Promise<void> {
    if (typeof id !== 'string') return;
    await database.transaction(async (trx) => {
      const event = await outbox.find(trx, id);
      // All have it, or it never happened.
      if (!event || !wanting(event).includes(subscriber)) return;
      const everybody = wanting(event).map(({ name }) => name);
      await withTrace(continueTrace(event.traceparent ?? undefined), async () => {
        await inbox.receive(trx, subscriber, event);
        if (await inbox.hasAll(trx, everybody, event.id)) await outbox.forget(trx, [event.id]);
      });
    });
  }

  async function run(): Promise<void> {
    let away = false;
    while (!stopping.signal.aborted) {
      try {
        if ((await send()) === BATCH) continue;
        if (away) log.info('events are on their way again');
        away = false;
        await pause(pollMs);
      } catch (error) {
        if (!away) log.warn({ err: error }, 'events wait in the outbox');
        away = true;
        await pause(PAUSE_WHEN_AWAY_MS);
      }
    }
  }

  async function pause(ms: number): Promise<void> {
    const { signal } = stopping;
    await delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
  }

  for (const subscriber of subscribers) {
    queues.consume(subscriber.name, (event) =>
      receive(subscriber, (event as DomainEvent | null)?.id),
    );
  }
  const running = run();
  return async () => {
    stopping.abort();
    await running;
    await queues.close();
  };
}
