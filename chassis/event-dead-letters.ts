import type { Database } from './database.ts';
import type { DeadLetter, DeadLetterSource } from './dead-letters.ts';
import type { DeliveryFailure, DeliveryFailures } from './delivery-failures.ts';
import type { EventSubscriber, Inbox } from './inbox.ts';
import type { DomainEvent, Outbox } from './outbox.ts';

interface EventDeadLetterOptions {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly inbox: Inbox;
  readonly failures: DeliveryFailures;
  readonly subscribers: readonly EventSubscriber[];
}

/** The id of an event is a UUID, so that the last colon parts it from the subscriber. */
function deliveryOf(id: string): Pick<DeliveryFailure, 'subscriber' | 'eventId'> {
  const at = id.lastIndexOf(':');
  return { subscriber: id.slice(0, Math.max(0, at)), eventId: id.slice(at + 1) };
}

function letterOf(
  { subscriber, eventId, reason, attempts, deadAt }: DeliveryFailure,
  type: string,
): DeadLetter {
  const what = `${subscriber}: ${type}`;
  return { id: `${subscriber}:${eventId}`, what, reason, attempts, since: deadAt ?? 0 };
}

/** Events that a subscriber could not take; needs neither a relay nor Redis. */
export function createEventDeadLetters({
  database,
  outbox,
  inbox,
  failures,
  subscribers,
}: EventDeadLetterOptions): DeadLetterSource {
  const namesOf = ({ type }: DomainEvent): readonly string[] =>
    subscribers.filter(({ types }) => types.includes(type)).map(({ name }) => name);

  return {
    async list(limit) {
      const dead = await failures.dead(database.read, limit);
      const events = await outbox.findAll(
        database.read,
        dead.map(({ eventId }) => eventId),
      );
      const typeOf = new Map(events.map(({ id, type }) => [id, type]));
      return dead.map((failure) => letterOf(failure, typeOf.get(failure.eventId) ?? 'unknown'));
    },
    count: () => failures.countDead(database.read),
    async find(id) {
      const failure = await failures.find(database.read, deliveryOf(id));
      if (!failure || failure.deadAt === null) return undefined;
      const [event] = await outbox.findAll(database.read, [failure.eventId]);
      return { ...letterOf(failure, event?.type ?? 'unknown'), details: event ?? null };
    },
    retry: (id) =>
      database.transaction(async (trx) => {
        const delivery = deliveryOf(id);
        await outbox.hold(trx, delivery.eventId);
        const failure = await failures.find(trx, delivery);
        if (!failure || failure.deadAt === null) return false;
        await failures.forget(trx, delivery);
        await outbox.sendAnew(trx, delivery.eventId);
        return true;
      }),
    drop: (id) =>
      database.transaction(async (trx) => {
        const delivery = deliveryOf(id);
        const event = await outbox.hold(trx, delivery.eventId);
        const failure = await failures.find(trx, delivery);
        if (!failure || failure.deadAt === null) return false;
        await failures.forget(trx, delivery);
        if (!event) return true;
        await inbox.pass(trx, delivery.subscriber, event.id);
        if (!(await inbox.hasAll(trx, namesOf(event), event.id))) return true;
        await outbox.forget(trx, [event.id]);
        await failures.forgetEvents(trx, [event.id]);
        return true;
      }),
  };
}
