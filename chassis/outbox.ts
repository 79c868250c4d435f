import { v7 as uuid } from 'uuid';
import type { Knex, Transaction } from './database.ts';
import { currentTrace, traceparentOf } from './trace.ts';

/** Something that has happened, as it is told to those who want to know. */
export interface DomainEvent {
  readonly id: string;
  readonly type: string;
  /** Of the form of `data`. */
  readonly version: number;
  /** What it happened to. */
  readonly aggregateId: string;
  /** ISO 8601, UTC. */
  readonly occurredAt: string;
  /** The trace of the request that caused it; null outside of one. */
  readonly traceparent: string | null;
  readonly data: unknown;
}

/** The table that holds events until they are sent. `position` grows with each row. */
export interface OutboxTable {
  readonly table: string;
  readonly columns: Readonly<Record<'position' | 'id' | 'event' | 'createdAt', string>>;
  formatTime(ms: number): string | number;
}

export interface Outbox {
  /** Binds an event to the transaction that makes it true: both happen, or neither. */
  publish(
    trx: Transaction,
    event: Pick<DomainEvent, 'type' | 'version' | 'aggregateId' | 'data'>,
  ): Promise<void>;
  /** The oldest events that are not sent yet, in the order they happened in. */
  pending(connection: Knex, limit: number): Promise<PendingEvent[]>;
  /** Forgets events that have reached every subscriber's queue. */
  sent(trx: Transaction, upToPosition: number): Promise<void>;
}

export interface PendingEvent {
  readonly position: number;
  readonly event: DomainEvent;
}

/** The transactional outbox of one database. Only its relay knows how events travel. */
export function createOutbox({ table, columns: c, formatTime }: OutboxTable): Outbox {
  return {
    async publish(trx, event) {
      const now = Date.now();
      const trace = currentTrace();
      const envelope: DomainEvent = {
        id: uuid(),
        ...event,
        occurredAt: new Date(now).toISOString(),
        traceparent: trace ? traceparentOf(trace) : null,
      };
      await trx(table).insert({
        [c.id]: envelope.id,
        [c.event]: JSON.stringify(envelope),
        [c.createdAt]: formatTime(now),
      });
    },
    async pending(connection, limit) {
      const rows = (await connection(table)
        .orderBy(c.position)
        .limit(limit)
        .select({ position: c.position, event: c.event })) as {
        position: number;
        event: string;
      }[];
      return rows.map(({ position, event }) => ({
        position,
        event: JSON.parse(event) as DomainEvent,
      }));
    },
    async sent(trx, upToPosition) {
      await trx(table).where(c.position, '<=', upToPosition).delete();
    },
  };
}
