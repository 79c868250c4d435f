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

/** The table that holds events until everybody has them. */
export interface OutboxTable {
  readonly table: string;
  /** `position` grows with each row; `sentAt` is a number, null before the first time. */
  readonly columns: Readonly<Record<'position' | 'id' | 'event' | 'sentAt' | 'createdAt', string>>;
  formatTime(ms: number): string | number;
}

export interface Outbox {
  /** Binds an event to the transaction that makes it true: both happen, or neither. */
  publish(
    trx: Transaction,
    event: Pick<DomainEvent, 'type' | 'version' | 'aggregateId' | 'data'>,
  ): Promise<void>;
  /**
   * Events to send: those never sent, then those sent before `sentBefore` (ms since 1970) that
   * a subscriber has not received yet. Oldest first.
   */
  due(connection: Knex, sentBefore: number, limit: number): Promise<DomainEvent[]>;
  /**
   * The event of this id, if a subscriber has not received it yet; undefined otherwise. Others who hold it wait until
   * the transaction ends.
   */
  hold(trx: Transaction, id: string): Promise<DomainEvent | undefined>;
  /** Those of these events that are still here. */
  findAll(connection: Knex, ids: readonly string[]): Promise<readonly DomainEvent[]>;
  /** How many events are still here, and the time (ms since 1970) of the oldest; null without any. */
  backlog(connection: Knex): Promise<{ readonly events: number; readonly oldest: number | null }>;
  /** A query for the ids of all events that are still here. */
  waiting(connection: Knex): Knex.QueryBuilder;
  /** Makes an event due at once. */
  sendAnew(trx: Transaction, id: string): Promise<void>;
  markSent(trx: Transaction, ids: readonly string[], now: number): Promise<void>;
  /** Deletes events that everybody has. */
  forget(trx: Transaction, ids: readonly string[]): Promise<void>;
}

/** The transactional outbox of one database. It is the queue; whatever carries events may lose them. */
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
        [c.sentAt]: null,
        [c.createdAt]: formatTime(now),
      });
    },
    async due(connection, sentBefore, limit) {
      const events = (await connection(table)
        .whereNull(c.sentAt)
        .orWhere(c.sentAt, '<', sentBefore)
        .orderBy([{ column: c.sentAt, nulls: 'first' }, { column: c.position }])
        .limit(limit)
        .pluck(c.event)) as string[];
      return events.map((event) => JSON.parse(event) as DomainEvent);
    },
    async hold(trx, id) {
      const [event] = (await trx(table)
        .where({ [c.id]: id })
        .forUpdate()
        .pluck(c.event)) as string[];
      return event === undefined ? undefined : (JSON.parse(event) as DomainEvent);
    },
    async findAll(connection, ids) {
      const events = (await connection(table).whereIn(c.id, ids).pluck(c.event)) as string[];
      return events.map((event) => JSON.parse(event) as DomainEvent);
    },
    async backlog(connection) {
      const [counted] = (await connection(table).count({ events: '*' })) as { events: number }[];
      const [first] = (await connection(table)
        .orderBy(c.position)
        .limit(1)
        .pluck(c.event)) as string[];
      const oldest = first === undefined ? null : (JSON.parse(first) as DomainEvent).occurredAt;
      return {
        events: Number(counted?.events),
        oldest: oldest === null ? null : Date.parse(oldest),
      };
    },
    waiting: (connection) => connection(table).select(c.id),
    async sendAnew(trx, id) {
      await trx(table)
        .where({ [c.id]: id })
        .update({ [c.sentAt]: null });
    },
    async markSent(trx, ids, now) {
      await trx(table)
        .whereIn(c.id, ids)
        .update({ [c.sentAt]: now });
    },
    async forget(trx, ids) {
      await trx(table).whereIn(c.id, ids).delete();
    },
  };
}
