import type { Knex, Transaction } from '../database.ts';
import { isBefore, placeOf, streamOf } from './event.ts';
import type { DomainEvent, Place } from './event.ts';

/** A part of a process that wants to know of some types of events. */
export interface EventSubscriber {
  readonly name: string;
  readonly types: readonly string[];
  /** Gets the events of one aggregate in their order, each once. What it writes is written once. */
  handle(trx: Transaction, event: DomainEvent): Promise<void>;
}

/** A later event of the same aggregate has been handled already. */
export class LateEvent extends Error {
  override readonly name = 'LateEvent';

  constructor({ epoch, sequence }: DomainEvent, taken: Place) {
    super(
      `too late for its place: epoch ${taken.epoch}, sequence ${taken.sequence} of the same aggregate was ` +
        `handled before it, and it is epoch ${epoch}, sequence ${Number(sequence)}`,
    );
  }
}

/** What each subscriber of one database has received, in its tables `event_inbox` and `event_positions`. */
export interface Inbox {
  /**
   * Hands an event to its subscriber unless it has had it; what carries events may repeat them.
   * @param outOfTurn handles it also where a later event of its aggregate has been handled
   * @throws LateEvent where one has
   */
  receive(
    trx: Transaction,
    subscriber: EventSubscriber,
    event: DomainEvent,
    outOfTurn?: boolean,
  ): Promise<void>;
  /** Records an event as received that is never handed to this subscriber. */
  pass(trx: Transaction, subscriber: string, event: DomainEvent): Promise<void>;
  /** The last event of an aggregate that a subscriber has handled; undefined without any. */
  position(connection: Knex, subscriber: string, stream: string): Promise<Place | undefined>;
  /** Forgets the ids of what was received before a moment (ms since 1970); returns how many. */
  forget(trx: Transaction, before: number): Promise<number>;
}

export function createInbox(): Inbox {
  async function findPosition(query: Knex.QueryBuilder, subscriber: string, stream: string) {
    const row = (await query.where({ subscriber, stream }).first('epoch', 'sequence')) as
      Place | undefined;
    return row;
  }

  /** Of two transactions that both found nothing, the primary key lets only one write it; the other runs again. */
  async function record(
    trx: Transaction,
    subscriber: string,
    event: DomainEvent,
    taken: Place | undefined,
  ): Promise<void> {
    const row = { subscriber, event_id: event.id, received_at: Date.now() };
    await trx('event_inbox').insert(row);
    const key = { subscriber, stream: streamOf(event) };
    const place = placeOf(event);
    if (!taken) await trx('event_positions').insert({ ...key, ...place });
    else if (isBefore(taken, place)) await trx('event_positions').where(key).update(place);
  }

  return {
    async receive(trx, subscriber, event, outOfTurn = false) {
      const { name } = subscriber;
      // Waits for another delivery of the same aggregate, and reads what that has left.
      const taken = await findPosition(trx('event_positions').forUpdate(), name, streamOf(event));
      const received = { subscriber: name, event_id: event.id };
      if ((await trx('event_inbox').where(received).first('event_id')) !== undefined) return;
      if (!outOfTurn && taken && !isBefore(taken, placeOf(event))) {
        throw new LateEvent(event, taken);
      }
      await record(trx, name, event, taken);
      await subscriber.handle(trx, event);
    },
    async pass(trx, subscriber, event) {
      const query = trx('event_positions').forUpdate();
      const taken = await findPosition(query, subscriber, streamOf(event));
      await record(trx, subscriber, event, taken);
    },
    position: (connection, subscriber, stream) =>
      findPosition(connection('event_positions'), subscriber, stream),
    async forget(trx, before) {
      return trx('event_inbox').where('received_at', '<', before).delete();
    },
  };
}
