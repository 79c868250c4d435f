import { setTimeout as delay } from 'node:timers/promises';
import type { Database, Transaction } from './database.ts';
import { reasonOf } from './dead-letters.ts';
import type { DeliveryFailures } from './delivery-failures.ts';
import type { EventQueues } from './event-queues.ts';
import type { EventSubscriber, Inbox } from './inbox.ts';
import type { Logger } from './log.ts';
import type { DomainEvent, Outbox } from './outbox.ts';
import { isTemporary } from './temporary.ts';
import { continueTrace, withTrace } from './trace.ts';

interface RelayOptions {
  readonly database: Database;
  readonly outbox: Outbox;
  /** In the same database, so that the outbox learns who has what. */
  readonly inbox: Inbox;
  /** In the same database: which deliveries failed, and how often. */
  readonly failures: DeliveryFailures;
  readonly subscribers: readonly EventSubscriber[];
  readonly queues: EventQueues;
  readonly log: Logger;
  readonly pollMs?: number;
  /** How long an event may be on its way before it is sent again. */
  readonly resendMs?: number;
  /** After so many failed attempts an event is a dead letter for the subscriber that can't take it. */
  readonly attempts?: number;
}

const BATCH = 100;
const PAUSE_WHEN_AWAY_MS = 500;
/** The line leaves out the event's id: its sender chooses the text and the length. */
const FOREIGN = 'not from an outbox, and dropped: an event in Redis';
/** With the usual pause between two attempts: most of a minute. */
const ATTEMPTS = 5;

/**
 * Carries events from a database's outbox to its subscribers, each at least once, and into effect
 * once. An event leaves the outbox when every subscriber has it: what the queues lose is sent again.
 * A subscriber whose handler fails too often gets the event no more; the others do not wait for it.
 * @returns stops it
 */
export function startEventRelay(options: RelayOptions): () => Promise<void> {
  const { database, outbox, inbox, failures, subscribers, queues, log } = options;
  const { pollMs = 100, resendMs = 10_000, attempts = ATTEMPTS } = options;
  const stopping = new AbortController();
  const wanting = ({ type }: DomainEvent) =>
    subscribers.filter(({ types }) => types.includes(type));

  async function send(): Promise<number> {
    const now = Date.now();
    const events = await outbox.due(database.read, now - resendMs, BATCH);
    if (events.length === 0) return 0;
    const settled = await settledAmong(events);
    await Promise.all(
      events.flatMap((event) =>
        wanting(event)
          .filter(({ name }) => !settled.has(`${name} ${event.id}`))
          .map(({ name }) => queues.send(name, event)),
      ),
    );
    const wanted = events.filter((event) => wanting(event).length > 0).map(({ id }) => id);
    const unwanted = events.filter((event) => wanting(event).length === 0).map(({ id }) => id);
    await database.transaction(async (trx) => {
      await outbox.markSent(trx, wanted, now);
      await leave(trx, unwanted);
    });
    return events.length;
  }

  /** Deliveries that need no further attempt: made already, or given up. */
  async function settledAmong(events: readonly DomainEvent[]): Promise<ReadonlySet<string>> {
    const ids = events.map(({ id }) => id);
    const settled = [
      ...(await inbox.receivers(database.read, ids)),
      ...(await failures.deadOf(database.read, ids)),
    ];
    return new Set(settled.map(({ subscriber, eventId }) => `${subscriber} ${eventId}`));
  }

  async function leave(trx: Transaction, ids: readonly string[]): Promise<void> {
    await outbox.forget(trx, ids);
    await failures.forgetEvents(trx, ids);
  }

  /** The queues say only which event it is: what they hold may be anybody's. */
  async function receive(subscriber: EventSubscriber, id: unknown): Promise<void> {
    if (typeof id !== 'string') {
      log.warn({ subscriber: subscriber.name }, FOREIGN);
      return;
    }
    try {
      await database.transaction((trx) => take(trx, subscriber, id));
    } catch (error) {
      // What is away, busy or about to move says nothing about the event.
      if (isTemporary(error) || !(await isGivenUp(subscriber, id, error))) {
        throw error;
      }
    }
  }

  async function take(trx: Transaction, subscriber: EventSubscriber, id: string): Promise<void> {
    const event = await outbox.hold(trx, id);
    if (!event) {
      // An event that every subscriber has received leaves the outbox, and may still be repeated.
      const received = await inbox.receivers(trx, [id]);
      if (received.length === 0) log.warn({ subscriber: subscriber.name }, FOREIGN);
      return;
    }
    if (!wanting(event).includes(subscriber)) return;
    const delivery = { subscriber: subscriber.name, eventId: id };
    const failure = await failures.find(trx, delivery);
    // Given up while it was on its way.
    if (failure && failure.deadAt !== null) return;
    const everybody = wanting(event).map(({ name }) => name);
    await withTrace(continueTrace(event.traceparent ?? undefined), async () => {
      await inbox.receive(trx, subscriber, event);
      if (failure) await failures.forget(trx, delivery);
      if (await inbox.hasAll(trx, everybody, event.id)) await leave(trx, [event.id]);
    });
  }

  /** Counts a failed attempt in a transaction of its own: that of the attempt was rolled back. */
  async function isGivenUp(
    { name }: EventSubscriber,
    eventId: string,
    error: unknown,
  ): Promise<boolean> {
    const failed = { subscriber: name, eventId, reason: reasonOf(error) };
    const failure = await database.transaction(async (trx) =>
      // Where another attempt has succeeded meanwhile, the relay has taken the event out of the outbox.
      (await outbox.hold(trx, eventId)) ? failures.count(trx, failed, attempts) : undefined,
    );
    if (!failure || failure.deadAt === null) return false;
    log.error(
      { err: error, subscriber: name, event: eventId, attempts: failure.attempts },
      'an event is a dead letter: its subscriber could not take it, and is sent it no more',
    );
    return true;
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
