import type { Knex, Transaction } from './database.ts';
import type { DomainEvent } from './outbox.ts';

/** Somebody who wants to know of some types of events. */
export interface EventSubscriber {
  readonly name: string;
  readonly types: readonly string[];
  /** Events may come in any order. What this writes is written once for each event. */
  handle(trx: Transaction, event: DomainEvent): Promise<void>;
}

/** The table of what each subscriber has received. */
export interface InboxTable {
  readonly table: string;
  readonly columns: Readonly<Record<'subscriber' | 'eventId' | 'createdAt', string>>;
  formatTime(ms: number): string | number;
}

export interface Inbox {
  /** Hands an event to its subscriber unless it has had it; what carries events may repeat them. */
  receive(trx: Transaction, subscriber: EventSubscriber, event: DomainEvent): Promise<void>;
  /** Notes an event as received that is never handed to this subscriber. */
  pass(trx: Transaction, subscriber: string, eventId: string): Promise<void>;
  /** Who has received which of these events. */
  receivers(
    connection: Knex,
    eventIds: readonly string[],
  ): Promise<readonly { readonly subscriber: string; readonly eventId: string }[]>;
  /** Whether all of these subscribers have had the event. */
  hasAll(trx: Transaction, subscribers: readonly string[], eventId: string): Promise<boolean>;
  /**
   * Forgets what was received before a moment (ms since 1970); returns how many.
   * @param waiting ids of events that are still in the outbox, such as dead letters: these are kept,
   *   since a subscriber that has had one could be sent it again
   */
  forget(trx: Transaction, before: number, waiting: Knex.QueryBuilder): Promise<number>;
}

export function createInbox({ table, columns: c, formatTime }: InboxTable): Inbox {
  const note = async (trx: Transaction, subscriber: string, eventId: string): Promise<void> => {
    const createdAt = formatTime(Date.now());
    await trx(table).insert({
      [c.subscriber]: subscriber,
      [c.eventId]: eventId,
      [c.createdAt]: createdAt,
    });
  };
  return {
    async receive(trx, subscriber, event) {
      const row = { [c.subscriber]: subscriber.name, [c.eventId]: event.id };
      const known: unknown = await trx(table).where(row).first(c.eventId);
      if (known !== undefined) return;
      await note(trx, subscriber.name, event.id);
      await subscriber.handle(trx, event);
    },
    pass: note,
    async receivers(connection, eventIds) {
      return connection(table)
        .whereIn(c.eventId, eventIds)
        .select({ subscriber: c.subscriber, eventId: c.eventId });
    },
    async hasAll(trx, subscribers, eventId) {
      const received = (await trx(table)
        .where({ [c.eventId]: eventId })
        .pluck(c.subscriber)) as string[];
      return subscribers.every((name) => received.includes(name));
    },
    async forget(trx, before, waiting) {
      return trx(table)
        .where(c.createdAt, '<', formatTime(before))
        .whereNotIn(c.eventId, waiting)
        .delete();
    },
  };
}
