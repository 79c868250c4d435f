import type { Knex, Transaction } from './database.ts';

/** The table of deliveries that failed: a row for each event that a subscriber could not take. */
export interface DeliveryFailureTable {
  readonly table: string;
  /** `deadAt` is in ms since 1970, and null until the last attempt has failed. */
  readonly columns: Readonly<
    Record<'subscriber' | 'eventId' | 'attempts' | 'reason' | 'deadAt', string>
  >;
}

/** How often a subscriber has failed to take an event. */
export interface DeliveryFailure {
  readonly subscriber: string;
  readonly eventId: string;
  readonly attempts: number;
  readonly reason: string;
  /** ms since 1970; null while the event is sent again. */
  readonly deadAt: number | null;
}

type Delivery = Pick<DeliveryFailure, 'subscriber' | 'eventId'>;

/** Deliveries that failed, in the database of the outbox. */
export interface DeliveryFailures {
  find(connection: Knex, delivery: Delivery): Promise<DeliveryFailure | undefined>;
  /**
   * Counts a failed attempt.
   * @param limit after so many attempts the event is a dead letter for this subscriber
   */
  count(
    trx: Transaction,
    failed: Delivery & { readonly reason: string },
    limit: number,
  ): Promise<DeliveryFailure>;
  /** Who can't take which of these events, dead letters only. */
  deadOf(connection: Knex, eventIds: readonly string[]): Promise<readonly Delivery[]>;
  /** All dead letters, the oldest first. */
  dead(connection: Knex, limit: number): Promise<readonly DeliveryFailure[]>;
  countDead(connection: Knex): Promise<number>;
  forget(trx: Transaction, delivery: Delivery): Promise<void>;
  /** For events that have left the outbox. */
  forgetEvents(trx: Transaction, eventIds: readonly string[]): Promise<void>;
}

export function createDeliveryFailures({
  table,
  columns: c,
}: DeliveryFailureTable): DeliveryFailures {
  type Row = Readonly<Record<string, string | number | null>>;

  const keyOf = ({ subscriber, eventId }: Delivery): Record<string, string> => ({
    [c.subscriber]: subscriber,
    [c.eventId]: eventId,
  });
  const fromRow = (row: Row): DeliveryFailure => ({
    subscriber: String(row[c.subscriber]),
    eventId: String(row[c.eventId]),
    attempts: Number(row[c.attempts]),
    reason: String(row[c.reason]),
    deadAt: row[c.deadAt] === null ? null : Number(row[c.deadAt]),
  });

  async function find(connection: Knex, delivery: Delivery): Promise<DeliveryFailure | undefined> {
    const row = (await connection(table).where(keyOf(delivery)).first()) as Row | undefined;
    return row && fromRow(row);
  }

  return {
    find,
    async count(trx, { subscriber, eventId, reason }, limit) {
      const delivery = { subscriber, eventId };
      const known = await find(trx, delivery);
      const attempts = (known?.attempts ?? 0) + 1;
      const deadAt = known?.deadAt ?? (attempts >= limit ? Date.now() : null);
      const changes = { [c.attempts]: attempts, [c.reason]: reason, [c.deadAt]: deadAt };
      if (known) await trx(table).where(keyOf(delivery)).update(changes);
      else await trx(table).insert({ ...keyOf(delivery), ...changes });
      return { subscriber, eventId, attempts, reason, deadAt };
    },
    async deadOf(connection, eventIds) {
      const rows = (await connection(table)
        .whereIn(c.eventId, eventIds)
        .whereNotNull(c.deadAt)) as Row[];
      return rows.map(fromRow);
    },
    async dead(connection, limit) {
      const rows = (await connection(table)
        .whereNotNull(c.deadAt)
        .orderBy([c.deadAt, c.eventId, c.subscriber])
        .limit(limit)) as Row[];
      return rows.map(fromRow);
    },
    async countDead(connection) {
      const row = (await connection(table)
        .whereNotNull(c.deadAt)
        .count({ count: '*' })
        .first()) as { count: number | string };
      return Number(row.count);
    },
    async forget(trx, delivery) {
      await trx(table).where(keyOf(delivery)).delete();
    },
    async forgetEvents(trx, eventIds) {
      await trx(table).whereIn(c.eventId, eventIds).delete();
    },
  };
}
