import { v7 as uuid } from 'uuid';
import { dialectOfConnection } from '../database.ts';
import type { Knex, Transaction } from '../database.ts';
import { childSpan, traceparentOf } from '../trace.ts';
import { sequenceText, streamOf } from './event.ts';
import type { DomainEvent, EventDraft } from './event.ts';

/** An event that a subscriber has not confirmed. */
export interface Delivery {
  readonly subscriber: string;
  readonly sequence: number;
  readonly event: DomainEvent;
}

/** Events of an outbox, those that everybody has received included. */
export interface Archived {
  readonly sequence: number;
  readonly event: DomainEvent;
}

export interface Outbox {
  /**
   * Binds an event to the transaction that makes it true: both happen, or neither. Call it after the aggregate's row
   * has been changed or locked, and for one aggregate a transaction.
   */
  publish(trx: Transaction, event: EventDraft & { readonly epoch: number }): Promise<void>;
  /** Calls back when an event has been published here, which its transaction may not have committed yet. */
  onPublish(callback: () => void): () => void;
  /**
   * Deliveries to send: those never sent, then those sent before `sentBefore` (ms since 1970) and not confirmed.
   * Oldest first, and of one aggregate at most the first one a subscriber: the next is sent when that is confirmed.
   */
  due(connection: Knex, sentBefore: number, limit: number): Promise<readonly Delivery[]>;
  markSent(trx: Transaction, deliveries: readonly Delivery[], now: number): Promise<void>;
  /** A subscriber has these events; ids of others change nothing. */
  confirm(trx: Transaction, subscriber: string, eventIds: readonly string[]): Promise<void>;
  /** How many events wait for a subscriber, and the time (ms since 1970) of the oldest; null without any. */
  backlog(connection: Knex): Promise<{ readonly events: number; readonly oldest: number | null }>;
  /** Its last place in the archive, and whether nothing was deleted from it; 0 while it is empty. */
  head(connection: Knex): Promise<{ readonly sequence: number; readonly isComplete: boolean }>;
  /** At most `limit` events after this place in the outbox, oldest first. */
  archive(connection: Knex, after: number, limit: number): Promise<readonly Archived[]>;
  /** The last event of an aggregate. */
  last(
    connection: Knex,
    of: Pick<DomainEvent, 'source' | 'subject'>,
  ): Promise<Archived | undefined>;
  /** Deletes events from before a moment (ms since 1970) that everybody has; returns how many. */
  forget(trx: Transaction, before: number): Promise<number>;
}

/** The last event that was deleted stays as a mark, without its text: by it an archive is known to be incomplete. */
const FORGOTTEN = 'forgotten';

type Row = { readonly sequence: number; readonly event: string };

function archived({ sequence, event }: Row): Archived {
  const envelope = JSON.parse(event) as Omit<DomainEvent, 'sequence'>;
  return { sequence, event: { ...envelope, sequence: sequenceText(sequence) } };
}

/**
 * The transactional outbox of one database, in its tables `event_outbox` and `event_deliveries`. It is the queue;
 * whatever carries events may lose them. Delivered events stay as an archive until `forget`.
 * @param subscribersOf who gets events of a type
 */
export function createOutbox(subscribersOf: (type: string) => readonly string[]): Outbox {
  const callbacks = new Set<() => void>();

  async function write(trx: Transaction, envelope: Omit<DomainEvent, 'sequence'>, now: number) {
    const stream = streamOf(envelope);
    // Numbers are given out before the commit: what is published of one aggregate waits for its turn here, so that
    // the order of numbers is the order of commits.
    if (dialectOfConnection(trx) === 'postgres') {
      await trx.raw('SELECT pg_advisory_xact_lock(hashtextextended(?, 7))', [stream]);
    }
    const [row] = (await trx('event_outbox')
      .insert({
        id: envelope.id,
        stream,
        type: envelope.type,
        event: JSON.stringify(envelope),
        created_at: now,
      })
      .returning('sequence')) as [Pick<Row, 'sequence'>];
    const wanting = subscribersOf(envelope.type);
    if (wanting.length === 0) return;
    const deliveries = wanting.map((subscriber) => ({ subscriber, stream, ...row, sent_at: null }));
    await trx('event_deliveries').insert(deliveries);
  }

  return {
    async publish(trx, event) {
      const now = Date.now();
      const trace = childSpan({ name: `publish ${event.type}`, kind: 'producer' });
      const envelope: Omit<DomainEvent, 'sequence'> = {
        specversion: '1.0',
        id: uuid(),
        time: new Date(now).toISOString(),
        datacontenttype: 'application/json',
        ...(trace ? { traceparent: traceparentOf(trace) } : {}),
        ...event,
      };
      await write(trx, envelope, now).finally(() => trace?.span?.end());
      for (const callback of callbacks) callback();
    },
    onPublish(callback) {
      callbacks.add(callback);
      return () => callbacks.delete(callback);
    },
    async due(connection, sentBefore, limit) {
      const rows = (await connection('event_deliveries as d')
        .join('event_outbox as o', 'o.sequence', 'd.sequence')
        .whereRaw('(d.sent_at IS NULL OR d.sent_at < ?)', [sentBefore])
        .whereNotExists(
          connection('event_deliveries as e')
            .select(connection.raw('1'))
            .whereRaw('e.subscriber = d.subscriber AND e.stream = d.stream')
            .whereRaw('e.sequence < d.sequence'),
        )
        .orderBy([{ column: 'd.sent_at', nulls: 'first' }, { column: 'd.sequence' }])
        .limit(limit)
        .select('d.subscriber', 'd.sequence', 'o.event')) as (Row & { subscriber: string })[];
      return rows.map((row) => ({ subscriber: row.subscriber, ...archived(row) }));
    },
    async markSent(trx, deliveries, now) {
      for (const subscriber of new Set(deliveries.map((delivery) => delivery.subscriber))) {
        const own = deliveries.filter((delivery) => delivery.subscriber === subscriber);
        const sequences = own.map(({ sequence }) => sequence);
        await trx('event_deliveries')
          .where({ subscriber })
          .whereIn('sequence', sequences)
          .update({ sent_at: now });
      }
    },
    async confirm(trx, subscriber, eventIds) {
      const sequences = trx('event_outbox').whereIn('id', eventIds).select('sequence');
      await trx('event_deliveries').where({ subscriber }).whereIn('sequence', sequences).delete();
    },
    async backlog(connection) {
      const row = (await connection('event_deliveries as d')
        .join('event_outbox as o', 'o.sequence', 'd.sequence')
        .countDistinct({ events: 'd.sequence' })
        .min({ oldest: 'o.created_at' })
        .first()) as { events: number; oldest: number | null };
      return row;
    },
    async head(connection) {
      const last = (await connection('event_outbox').max({ sequence: 'sequence' }).first()) as {
        sequence: number | null;
      };
      const mark: unknown = await connection('event_outbox').where({ type: FORGOTTEN }).first('id');
      return { sequence: last.sequence ?? 0, isComplete: mark === undefined };
    },
    async archive(connection, after, limit) {
      const rows = (await connection('event_outbox')
        .where('sequence', '>', after)
        .whereNot({ type: FORGOTTEN })
        .orderBy('sequence')
        .limit(limit)
        .select('sequence', 'event')) as Row[];
      return rows.map(archived);
    },
    async last(connection, of) {
      const row = (await connection('event_outbox')
        .where({ stream: streamOf(of) })
        .whereNot({ type: FORGOTTEN })
        .orderBy('sequence', 'desc')
        .first('sequence', 'event')) as Row | undefined;
      return row && archived(row);
    },
    async forget(trx, before) {
      const old = () =>
        trx('event_outbox')
          .where('created_at', '<', before)
          .whereNotIn('sequence', trx('event_deliveries').select('sequence'));
      const last = (await old().max({ sequence: 'sequence' }).first()) as {
        sequence: number | null;
      };
      if (last.sequence === null) return 0;
      await trx('event_outbox')
        .where({ sequence: last.sequence })
        .update({ type: FORGOTTEN, event: '' });
      return old().whereNot({ sequence: last.sequence }).delete();
    },
  };
}
