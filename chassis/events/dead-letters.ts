import type { Database, Transaction } from '../database.ts';
import { reasonOf } from '../dead-letters.ts';
import type { DeadLetter, DeadLetterSource } from '../dead-letters.ts';
import { isTemporary } from '../temporary.ts';
import { createDeliveryFailures } from './failures.ts';
import type { DeliveryFailure } from './failures.ts';
import { createInbox } from './inbox.ts';
import type { EventSubscriber } from './inbox.ts';

/** The id of an event is a UUID, so that the last colon parts it from the subscriber. */
function keyOf(id: string): { readonly subscriber: string; readonly eventId: string } {
  const at = id.lastIndexOf(':');
  return { subscriber: id.slice(0, Math.max(0, at)), eventId: id.slice(at + 1) };
}

function letterOf({ subscriber, event, reason, attempts, deadAt }: DeliveryFailure): DeadLetter {
  const what = `${subscriber}: ${event.type}`;
  return { id: `${subscriber}:${event.id}`, what, reason, attempts, since: deadAt ?? 0 };
}

/** Events that a subscriber could not handle; needs neither a queue nor Redis. */
export function createEventDeadLetters(
  database: Database,
  subscribers: readonly EventSubscriber[],
): DeadLetterSource {
  const inbox = createInbox();
  const failures = createDeliveryFailures();
  const names = subscribers.map(({ name }) => name);

  /** Takes a dead letter away and does something about it, in one transaction. */
  function decide(
    id: string,
    act: (trx: Transaction, failure: DeliveryFailure, to: EventSubscriber) => Promise<void>,
  ): Promise<boolean> {
    return database.transaction(async (trx) => {
      const key = keyOf(id);
      const subscriber = subscribers.find(({ name }) => name === key.subscriber);
      const failure = await failures.find(trx, key);
      if (!subscriber || !failure || failure.deadAt === null) return false;
      await failures.forget(trx, key);
      await act(trx, failure, subscriber);
      return true;
    });
  }

  function stillDead(id: string, error: unknown): Promise<boolean> {
    return database.transaction(async (trx) => {
      const failure = await failures.find(trx, keyOf(id));
      if (failure) await failures.count(trx, { ...failure, reason: reasonOf(error) }, 1);
      return failure !== undefined;
    });
  }

  return {
    async list(limit) {
      return (await failures.dead(database.read, names, limit)).map(letterOf);
    },
    count: () => failures.countDead(database.read, names),
    async find(id) {
      const failure = await failures.find(database.read, keyOf(id));
      if (!failure || failure.deadAt === null) return undefined;
      return { ...letterOf(failure), details: failure.event };
    },
    // At once and, by the operator's decision, also where a later event has been handled. The publisher sends it once
    // more, and is told that the subscriber has it.
    async retry(id) {
      try {
        return await decide(id, (trx, { event }, subscriber) =>
          inbox.receive(trx, subscriber, event, true),
        );
      } catch (error) {
        if (isTemporary(error)) throw error;
        return await stillDead(id, error);
      }
    },
    drop: (id) => decide(id, (trx, { event, subscriber }) => inbox.pass(trx, subscriber, event)),
  };
}
