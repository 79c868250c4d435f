import type { Database, Transaction } from '../database.ts';
import { reasonOf } from '../dead-letters.ts';
import type { Logger } from '../log.ts';
import { isTemporary } from '../temporary.ts';
import { inSpan, parentIn } from '../trace.ts';
import type { DomainEvent } from './event.ts';
import { eventSpan } from './event-span.ts';
import { createDeliveryFailures } from './failures.ts';
import { createInbox, LateEvent } from './inbox.ts';
import type { EventSubscriber } from './inbox.ts';
import type { EventQueues } from './queues.ts';

interface ConsumerOptions {
  /** The subscribers' own, which holds their inbox. */
  readonly database: Database;
  readonly subscribers: readonly EventSubscriber[];
  readonly queues: EventQueues;
  readonly log: Logger;
  /** After so many failed attempts an event is a dead letter for the subscriber that can't handle it. */
  readonly attempts?: number;
}

/** With the usual pause between two attempts: most of a minute. */
const ATTEMPTS = 5;

/**
 * Hands the events in the queues of these subscribers to them, each into effect once. One that a subscriber fails to
 * handle too often, or that comes too late for its place, becomes a dead letter and is not confirmed, so that the
 * publisher holds back what follows it in its stream.
 */
export function startEventConsumer(options: ConsumerOptions): void {
  const { database, subscribers, queues, log, attempts = ATTEMPTS } = options;
  const inbox = createInbox();
  const failures = createDeliveryFailures();

  async function receive(subscriber: EventSubscriber, event: DomainEvent): Promise<void> {
    if (!subscriber.types.includes(event.type)) {
      queues.confirm(subscriber.name, event);
      return;
    }
    try {
      const taken = await database.transaction((trx) => take(trx, subscriber, event));
      if (taken) queues.confirm(subscriber.name, event);
    } catch (error) {
      // What is away, busy or about to move says nothing about the event.
      if (isTemporary(error) || !(await isGivenUp(subscriber, event, error))) throw error;
    }
  }

  /** @returns false for a dead letter */
  async function take(
    trx: Transaction,
    subscriber: EventSubscriber,
    event: DomainEvent,
  ): Promise<boolean> {
    const key = { subscriber: subscriber.name, eventId: event.id };
    const failure = await failures.find(trx, key);
    if (failure && failure.deadAt !== null) return false;
    const span = eventSpan('process', subscriber.name, event);
    await inSpan(span, parentIn(event.traceparent), () => inbox.receive(trx, subscriber, event));
    if (failure) await failures.forget(trx, key);
    return true;
  }

  /** Counts a failed attempt in a transaction of its own: that of the attempt was rolled back. */
  async function isGivenUp(
    { name: subscriber }: EventSubscriber,
    event: DomainEvent,
    error: unknown,
  ): Promise<boolean> {
    const failed = { subscriber, event, reason: reasonOf(error) };
    const limit = error instanceof LateEvent ? 1 : attempts;
    const failure = await database.transaction((trx) => failures.count(trx, failed, limit));
    if (failure.deadAt === null) return false;
    log.error(
      { err: error, subscriber, event: event.id, attempts: failure.attempts },
      'an event is a dead letter: its subscriber could not handle it, and is sent it no more',
    );
    return true;
  }

  for (const subscriber of subscribers) {
    queues.consume(subscriber.name, (event) => receive(subscriber, event));
  }
}
