import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Database, DomainEvent } from '../../chassis/index.ts';
import { orderViewMigrations } from '../../migrations/order-view/index.ts';
import { dialectsOfRun, temporaryDatabase } from '../../tests/support/index.ts';
import { isBehind, positionOf } from './freshness.ts';
import { beginRebuild, deleteFormer, ensureProjection, generations, swap } from './generations.ts';
import { project } from './projection.ts';
import { listOrders, present, totalsOf } from './queries.ts';
import { createOrderView } from './subscriber.ts';

const TIME = '2026-01-01T10:00:00.000Z';

function event(source: string, type: string, subject: string, sequence: number, data: object) {
  return {
    specversion: '1.0',
    id: `${source}-${sequence}`,
    source,
    type,
    subject,
    time: TIME,
    datacontenttype: 'application/json',
    dataschema: 'urn:test',
    dataversion: 1,
    epoch: 1,
    sequence: String(sequence).padStart(16, '0'),
    data,
  } satisfies DomainEvent;
}

const order = (id: string, sequence: number, status: string, amount = 100) =>
  event('/orders', 'OrderConfirmed', id, sequence, {
    orderId: id,
    customerId: 'ALICE',
    status,
    items: [],
    total: { amount, currency: 'USD' },
    paymentId: `pay-${id}`,
    reservationId: null,
    createdAt: TIME,
  });
const payment = (id: string, sequence: number, refundedAmount: number) =>
  event('/payment', 'PaymentCaptured', `pay-${id}`, sequence, {
    paymentId: `pay-${id}`,
    orderId: id,
    customerId: 'ALICE',
    status: refundedAmount > 0 ? 'refunded' : 'captured',
    amount: 100,
    refundedAmount,
    currency: 'USD',
  });
const shipped = (id: string, sequence: number) =>
  event('/shipping', 'Shipped', id, sequence, {
    orderId: id,
    customerId: 'ALICE',
    shippedAt: TIME,
  });

describe.each(dialectsOfRun)('the projection of orders on %s', (dialect) => {
  let database: Database;

  beforeEach(async () => {
    database = await temporaryDatabase(orderViewMigrations, dialect);
    await ensureProjection(database);
  });
  afterEach(() => database.close());

  const hear = (...events: DomainEvent[]) =>
    database.transaction(async (trx) => {
      for (const each of events) await createOrderView().handle(trx, each);
    });
  const shown = async (generation: number, filter = {}) =>
    (
      await listOrders(database.read, generation, filter, {
        sort: '-total',
        after: undefined,
        count: 10,
      })
    ).map(present);

  it('is the same in whatever order events are applied, and however often', async () => {
    const events = [
      order('a', 1, 'pending'),
      order('a', 4, 'cancelled'),
      payment('a', 2, 0),
      payment('a', 5, 100),
      shipped('a', 3),
      order('b', 6, 'confirmed', 300),
    ];
    await hear(...events);
    await hear(...events.toReversed(), ...events);
    const [b, a] = await shown(1);
    expect(b).toMatchObject({ orderId: 'b', payment: null, shippedAt: null });
    expect(a).toMatchObject({
      orderId: 'a',
      status: 'cancelled',
      payment: { status: 'refunded', refundedAmount: 100 },
      shippedAt: TIME,
    });
    expect(await totalsOf(database.read, 1, { customerId: 'ALICE' })).toEqual([
      { currency: 'USD', orders: 2, ordered: 400, paid: 100, refunded: 100 },
    ]);
    expect(await shown(1, { shipped: 'true', status: 'cancelled' })).toHaveLength(1);
    expect(await shown(1, { paymentStatus: 'captured' })).toEqual([]);
    expect(await positionOf(database.read, 1)).toBe('orders@1.6 payment@1.5 shipping@1.3');
  });

  it('knows whether an event is in', async () => {
    await hear(order('a', 4, 'confirmed'));
    const behind = (sequence: number, epoch = 1) =>
      isBehind(
        database.read,
        () => Promise.resolve(1),
        [{ orderId: 'a', place: { epoch, sequence } }],
        0,
      );
    expect([await behind(3), await behind(4), await behind(5)]).toEqual([false, false, true]);
    expect([await behind(1, 2), await behind(9, 0)]).toEqual([true, false]);
  });

  it('is built beside the generation that is shown, and then shown itself', async () => {
    const now = () => database.transaction((trx) => generations(trx));
    expect(await now()).toEqual([0, 1]);
    await hear(order('a', 1, 'pending'));
    await swap(database, 1);
    expect(await now()).toEqual([1]);
    expect(await beginRebuild(database, 'orders')).toBe('begun');
    expect(await beginRebuild(database, 'orders')).toBe('under way');
    expect(await beginRebuild(database, 'others')).toBe('unknown');
    // What happens meanwhile is in both, whatever the archive brings later.
    await hear(order('a', 3, 'confirmed'));
    await database.transaction((trx) => project(trx, 2, order('a', 1, 'pending')));
    expect((await shown(1)).map(({ status }) => status)).toEqual(['confirmed']);
    expect((await shown(2)).map(({ status }) => status)).toEqual(['confirmed']);
    await swap(database, 2);
    await deleteFormer(database, 2);
    expect([await now(), await shown(1)]).toEqual([[2], []]);
    expect(await shown(2)).toHaveLength(1);
  });
});
