import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { migrate } from '../../chassis/index.ts';
import type { Database } from '../../chassis/index.ts';
import { OrderEventData } from '../../contracts/index.ts';
import { dialectsOfRun, temporaryDatabase } from '../../tests/support/index.ts';
import { monolithMigrations } from './index.ts';

const before = monolithMigrations.filter(({ name }) => name < '0011');
const CREATED = '2026-01-01 10:00:00.000';

describe.each(dialectsOfRun)('events of a build from before streams, on %s', (dialect) => {
  let database: Database;

  beforeEach(async () => {
    database = await temporaryDatabase(before, dialect);
  });
  afterEach(() => database.close());

  async function event(id: string, type: string, orderId: string): Promise<void> {
    const total = { amount: 1_000, currency: 'USD' };
    const data = { orderId, customerId: 'ALICE', items: [], total };
    const occurredAt = '2026-01-01T10:00:00.000Z';
    const traceparent = null;
    const text = { id, type, version: 1, aggregateId: orderId, occurredAt, traceparent, data };
    await database.transaction((trx) =>
      trx('EVT_OUTBOX').insert({ EVT_ID: id, EVT_TXT: JSON.stringify(text), CRT_TS: CREATED }),
    );
  }

  it('are carried over: to whom they wait for, in their streams, and what was given up', async () => {
    await database.transaction(async (trx) => {
      const order = { CUST_NO: 'ALICE', TOT_AMT: '10.00', CURR_CD: 'USD', METH_CD: 'card_ok' };
      const times = { CRT_TS: CREATED, UPD_TS: CREATED };
      await trx('ORD_HDR').insert({
        ORD_NO: 'o-1',
        STAT_CD: 'C',
        PAY_NO: 'p-1',
        ...order,
        ...times,
      });
      await trx('ORD_HDR').insert({ ORD_NO: 'o-2', STAT_CD: 'D', ...order, ...times });
    });
    await event('e-1', 'OrderConfirmed', 'o-1');
    await event('e-2', 'OrderCancelled', 'o-1');
    await event('e-3', 'OrderRejected', 'o-2');
    await database.transaction(async (trx) => {
      const received = { EVT_ID: 'e-1', CRT_TS: CREATED };
      await trx('EVT_INBOX').insert({ SUBSCR_NM: 'shipping', ...received });
      const failed = { EVT_ID: 'e-2', FAIL_CNT: 5, RSN_TXT: 'no address', DEAD_TS: 1 };
      await trx('EVT_FAIL').insert({ SUBSCR_NM: 'shipping', ...failed });
      await trx('EVT_FAIL').insert({ SUBSCR_NM: 'notifications', ...failed });
    });
    await migrate(database, monolithMigrations);

    const deliveries = await database
      .read('event_deliveries as d')
      .join('event_outbox as o', 'o.sequence', 'd.sequence')
      .orderBy(['o.sequence', 'd.subscriber'])
      .select('d.subscriber', 'o.id', 'd.stream');
    expect(deliveries).toEqual([
      { subscriber: 'notification', id: 'e-1', stream: '/orders o-1' },
      { subscriber: 'notification', id: 'e-2', stream: '/orders o-1' },
      { subscriber: 'shipping', id: 'e-2', stream: '/orders o-1' },
      { subscriber: 'notification', id: 'e-3', stream: '/orders o-2' },
    ]);
    expect(await database.read('event_inbox').pluck('event_id')).toEqual(['e-1']);
    expect(
      await database.read('event_failures').select('subscriber', 'event_id', 'dead_at'),
    ).toEqual([{ subscriber: 'shipping', event_id: 'e-2', dead_at: 1 }]);
    const texts = (await database
      .read('event_outbox')
      .orderBy('sequence')
      .pluck('event')) as string[];
    const told = texts.map((text) => JSON.parse(text) as { data: unknown });
    expect(told.map(({ data }) => OrderEventData.parse(data).status)).toEqual([
      'confirmed',
      'cancelled',
      'payment_declined',
    ]);
    expect(told[0]).toMatchObject({
      specversion: '1.0',
      source: '/orders',
      subject: 'o-1',
      epoch: 0,
      data: { paymentId: 'p-1', createdAt: '2026-01-01T10:00:00.000Z' },
    });
  });
});
