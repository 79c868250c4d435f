import type { Knex, Transaction } from '../database.ts';
import type { DomainEvent } from './event.ts';

/** How often a subscriber has failed to handle an event. */
export interface DeliveryFailure {
  readonly subscriber: string;
  readonly event: DomainEvent;
  readonly attempts: number;
  readonly reason: string;
  /** ms since 1970; null while the event is sent again. */
  readonly deadAt: number | null;
}

type Key = { readonly subscriber: string; readonly eventId: string };

/** Deliveries that failed, in the table `event_failures` of the subscriber's database. */
export interface DeliveryFailures {
  find(connection: Knex, key: Key): Promise<DeliveryFailure | undefined>;
  /**
   * Counts a failed attempt.
   * @param limit after so many attempts the event is a dead letter for this subscriber
   */
  count(
    trx: Transaction,
    failed: Pick<DeliveryFailure, 'subscriber' | 'event' | 'reason'>,
    limit: number,
  ): Promise<DeliveryFailure>;
  /** Dead letters of these subscribers, the oldest first. */
  dead(
    connection: Knex,
    subscribers: readonly string[],
    limit: number,
  ): Promise<readonly DeliveryFailure[]>;
  countDead(connection: Knex, subscribers: readonly string[]): Promise<number>;
  forget(trx: Transaction, key: Key): Promise<void>;
}

interface Row {
  readonly subscriber: string;
  readonly event_id: string;
  readonly event: string;
  readonly attempts: number;
  readonly reason: string;
  readonly dead_at: number | null;
}

const fromRow = ({
  subscriber,
  event,
  attempts,
  reason,
  dead_at: deadAt,
}: Row): DeliveryFailure => ({
  subscriber,
  event: JSON.parse(event) as DomainEvent,
  attempts,
  reason,
  deadAt,
});

const whereKey = ({ subscriber, eventId }: Key) => ({ subscriber, event_id: eventId });

export function createDeliveryFailures(): DeliveryFailures {
  async function find(connection: Knex, key: Key): Promise<DeliveryFailure | undefined> {
    const row = (await connection('event_failures').where(whereKey(key)).first()) as
      Row | undefined;
    return row && fromRow(row);
  }

  return {
    find,
    async count(trx, { subscriber, event, reason }, limit) {
      const key = { subscriber, eventId: event.id };
      const known = await find(trx, key);
      const attempts = (known?.attempts ?? 0) + 1;
      const deadAt = known?.deadAt ?? (attempts >= limit ? Date.now() : null);
      const changes = { attempts, reason, dead_at: deadAt };
      if (known) await trx('event_failures').where(whereKey(key)).update(changes);
      else {
        const row = { ...whereKey(key), event: JSON.stringify(event), ...changes };
        await trx('event_failures').insert(row);
      }
      return { subscriber, event, attempts, reason, deadAt };
    },
    async dead(connection, subscribers, limit) {
      const rows = (await connection('event_failures')
        .whereIn('subscriber', subscribers)
        .whereNotNull('dead_at')
        .orderBy(['dead_at', 'event_id', 'subscriber'])
        .limit(limit)) as Row[];
      return rows.map(fromRow);
    },
    async countDead(connection, subscribers) {
      const row = (await connection('event_failures')
        .whereIn('subscriber', subscribers)
        .whereNotNull('dead_at')
        .count({ count: '*' })
        .first()) as { count: number | string };
      return Number(row.count);
    },
    async forget(trx, key) {
      await trx('event_failures').where(whereKey(key)).delete();
    },
  };
}
