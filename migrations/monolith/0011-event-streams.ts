import type { Knex, Migration } from '../../chassis/index.ts';
import {
  createInboxTables,
  createOutboxTables,
  dropInboxTables,
  dropOutboxTables,
} from '../event-tables.ts';

/** An event as it was stored until now. */
interface FormerEvent {
  readonly id: string;
  readonly type: keyof typeof STATUS_AFTER;
  readonly aggregateId: string;
  readonly occurredAt?: string;
  readonly traceparent?: string | null;
  readonly data: object;
}

interface OrderRow {
  readonly STAT_CD: string;
  readonly PAY_NO: string | null;
  readonly RSV_NO: string | null;
  readonly CRT_TS: string;
}

const STATUS_AFTER = {
  OrderPlaced: 'pending',
  OrderConfirmed: 'confirmed',
  OrderRejected: 'rejected',
  OrderCancelled: 'cancelled',
} as const;

/** Who got which events, by the names that they have now. */
const FORMER_SUBSCRIBERS = [
  { name: 'shipping', formerly: 'shipping', types: ['OrderConfirmed', 'OrderCancelled'] },
  {
    name: 'notification',
    formerly: 'notifications',
    types: ['OrderConfirmed', 'OrderRejected', 'OrderCancelled'],
  },
];

/**
 * Events get the form of CloudEvents, a place in the stream of their order, and a row for each subscriber that has not
 * confirmed them. What waits, and what was received or given up, is carried over.
 */
export const eventStreams: Migration = {
  name: '0011-event-streams',
  async up(knex) {
    await createOutboxTables(knex);
    await createInboxTables(knex);
    const rows = (await knex('EVT_OUTBOX').orderBy('SEQ_NO').pluck('EVT_TXT')) as string[];
    for (const row of rows) await carryOver(knex, JSON.parse(row) as FormerEvent);
    const received = (await knex('EVT_INBOX')
      .where({ SUBSCR_NM: 'shipping' })
      .pluck('EVT_ID')) as string[];
    for (const id of received) {
      const row = { subscriber: 'shipping', event_id: id, received_at: Date.now() };
      await knex('event_inbox').insert(row);
    }
    for (const table of ['EVT_FAIL', 'EVT_INBOX', 'EVT_OUTBOX']) await knex.schema.dropTable(table);
  },
  async down(knex) {
    await dropOutboxTables(knex);
    await dropInboxTables(knex);
    await knex.schema.createTable('EVT_OUTBOX', (t) => {
      t.increments('SEQ_NO');
      t.text('EVT_ID').notNullable().unique();
      t.text('EVT_TXT').notNullable();
      t.bigInteger('SENT_TS');
      t.text('CRT_TS').notNullable();
    });
    await knex.schema.createTable('EVT_INBOX', (t) => {
      t.text('SUBSCR_NM').notNullable();
      t.text('EVT_ID').notNullable();
      t.text('CRT_TS').notNullable().index('EVT_INBOX_CRT');
      t.primary(['SUBSCR_NM', 'EVT_ID']);
    });
    await knex.schema.createTable('EVT_FAIL', (t) => {
      t.text('SUBSCR_NM').notNullable();
      t.text('EVT_ID').notNullable();
      t.integer('FAIL_CNT').notNullable();
      t.text('RSN_TXT').notNullable();
      t.bigInteger('DEAD_TS');
      t.primary(['SUBSCR_NM', 'EVT_ID']);
    });
  },
};

async function carryOver(knex: Knex, former: FormerEvent): Promise<void> {
  const { id, type, aggregateId, occurredAt = new Date().toISOString(), traceparent } = former;
  const order = (await knex('ORD_HDR').where({ ORD_NO: aggregateId }).first()) as
    OrderRow | undefined;
  const declined = type === 'OrderRejected' && order?.STAT_CD === 'D';
  const event = {
    specversion: '1.0',
    id,
    source: '/orders',
    type,
    subject: aggregateId,
    time: occurredAt,
    datacontenttype: 'application/json',
    dataschema: `urn:shop:event:${type}:1`,
    dataversion: 1,
    ...(traceparent ? { traceparent } : {}),
    epoch: 0,
    data: {
      ...former.data,
      status: declined ? 'payment_declined' : STATUS_AFTER[type],
      paymentId: order?.PAY_NO ?? null,
      reservationId: order?.RSV_NO ?? null,
      createdAt: order ? `${order.CRT_TS.replace(' ', 'T')}Z` : occurredAt,
    },
  };
  const stream = `/orders ${aggregateId}`;
  const createdAt = Date.parse(occurredAt);
  const [{ sequence }] = (await knex('event_outbox')
    .insert({ id, stream, type, event: JSON.stringify(event), created_at: createdAt })
    .returning('sequence')) as [{ sequence: number }];
  for (const { name, formerly, types } of FORMER_SUBSCRIBERS) {
    if (!types.includes(type)) continue;
    const key = { SUBSCR_NM: formerly, EVT_ID: id };
    if ((await knex('EVT_INBOX').where(key).first('EVT_ID')) !== undefined) continue;
    await knex('event_deliveries').insert({ subscriber: name, stream, sequence, sent_at: null });
    // Notifications have a database of their own from now on: there, the event is tried anew.
    const failure = (await knex('EVT_FAIL').where(key).first()) as
      { FAIL_CNT: number; RSN_TXT: string; DEAD_TS: number | null } | undefined;
    if (!failure || name !== 'shipping') continue;
    await knex('event_failures').insert({
      subscriber: name,
      event_id: id,
      event: JSON.stringify({ ...event, sequence: String(sequence).padStart(16, '0') }),
      attempts: failure.FAIL_CNT,
      reason: failure.RSN_TXT,
      dead_at: failure.DEAD_TS,
    });
  }
}
