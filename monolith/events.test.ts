import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { createLog, LOOPBACK_ONLY } from '../chassis/index.ts';
import { eventually, withRedis } from '../tests/support/index.ts';
import { openShop } from '../tests/support/shop.ts';
import type { Shop } from '../tests/support/shop.ts';
import { Shipment } from '../contracts/index.ts';
import { startEvents } from './index.ts';

const log = createLog('events', 'silent');
let shop: Shop;

beforeEach(async () => {
  shop = await openShop();
});

afterEach(async () => {
  await shop.close();
});

const start = (redisUrl: string, timing: { resendMs?: number; attempts?: number } = {}) =>
  startEvents({ database: shop.database, redisUrl, access: LOOPBACK_ONLY, log, ...timing });

const place = (paymentMethod = 'card_ok') =>
  shop.post('/api/orders', {
    customerId: 'ALICE',
    items: [{ sku: 'A', quantity: 1 }],
    paymentMethod,
  });

const shipments = () =>
  shop.database.read('SHP_HDR').orderBy('ORD_NO').select('ORD_NO', 'STAT_CD') as Promise<unknown[]>;
/** Those that wait for the notification service, which has a database of its own. */
const notifications = () =>
  shop.database
    .read('event_deliveries as d')
    .join('event_outbox as o', 'o.sequence', 'd.sequence')
    .where('d.subscriber', 'notification')
    .orderBy('o.type')
    .pluck('o.type') as Promise<unknown[]>;

/** Every event has reached shipping. */
const told = () =>
  eventually(
    async () =>
      expect(
        await shop.database.read('event_deliveries').where({ subscriber: 'shipping' }),
      ).toEqual([]),
    { timeoutMs: 20_000 },
  );

describe('what happens to orders', () => {
  it('is told to shipping once, and waits for the notification service', () =>
    withRedis(async ({ url }) => {
      const stop = await start(url);
      try {
        const { body: kept } = await place();
        const { body: cancelled } = await place();
        await place('card_declined');
        await shop.post(`/api/orders/${cancelled.id}/cancel`);
        await told();
        expect(await shipments()).toEqual([
          { ORD_NO: kept.id, STAT_CD: 'R' },
          { ORD_NO: cancelled.id, STAT_CD: 'X' },
        ]);
        expect(await notifications()).toEqual([
          'OrderCancelled',
          'OrderConfirmed',
          'OrderConfirmed',
          'OrderRejected',
        ]);
        const shown = async (id: string) => (await shop.get(`/api/orders/${id}/shipment`)).body;
        expect(Shipment.parse(await shown(kept.id))).toMatchObject({
          orderId: kept.id,
          customerId: 'ALICE',
          status: 'ready',
        });
        expect(await shown(cancelled.id)).toMatchObject({ status: 'called_off' });
        expect(await shown('unknown')).toMatchObject({ status: 404, code: 'not_found' });
      } finally {
        await stop();
      }
    }));

  it('is told again when Redis has lost it', () =>
    withRedis(async ({ url }) => {
      const redis = new Redis(url);
      // Nobody takes the events out yet: they are in Redis only, as far as it goes.
      const { body } = await place();
      await shop.database.transaction(async (trx) => {
        await trx('event_deliveries').update({ sent_at: Date.now() });
      });
      await redis.flushall();
      redis.disconnect();
      const stop = await start(url, { resendMs: 300 });
      try {
        await told();
        expect(await shipments()).toEqual([{ ORD_NO: body.id, STAT_CD: 'R' }]);
        expect(await notifications()).toEqual(['OrderConfirmed']);
      } finally {
        await stop();
      }
    }));

  it('waits while Redis is away, and no order waits for it', () =>
    withRedis(async (redis) => {
      const stop = await start(redis.url, { resendMs: 500 });
      try {
        await redis.kill();
        const { status, body } = await place();
        expect(status).toBe(201);
        // It is started again by what keeps it; then the events arrive.
        await told();
        expect(await shipments()).toEqual([{ ORD_NO: body.id, STAT_CD: 'R' }]);
      } finally {
        await stop();
      }
    }));

  it('is a dead letter for shipping alone when shipping can not take it', () =>
    withRedis(async ({ url }) => {
      const { database } = shop;
      await database.transaction((trx) =>
        trx.raw(`CREATE TRIGGER closed BEFORE INSERT ON SHP_HDR
          BEGIN SELECT RAISE(ABORT, 'the warehouse is closed'); END`),
      );
      const stop = await start(url, { resendMs: 50, attempts: 2 });
      try {
        const { body: order } = await place();
        const letter = await eventually(async () => {
          const { body } = await shop.get('/dead-letters');
          expect(body.counts).toEqual({ event: 1, step: 0 });
          return body.deadLetters[0] as { id: string };
        });
        expect(letter).toMatchObject({
          kind: 'event',
          what: 'shipping: OrderConfirmed',
          reason: expect.stringContaining('the warehouse is closed'),
          attempts: 2,
        });
        const path = `/dead-letters/event/${encodeURIComponent(letter.id)}`;
        expect((await shop.get(path)).body).toMatchObject({
          details: { type: 'OrderConfirmed', data: { orderId: order.id } },
        });
        await eventually(async () => expect(await notifications()).toEqual(['OrderConfirmed']));
        expect(await shipments()).toEqual([]);
        await database.transaction((trx) => trx.raw('DROP TRIGGER closed'));
        expect(await shop.post(`${path}/retry`)).toMatchObject({ status: 200 });
        await told();
        expect(await shipments()).toEqual([{ ORD_NO: order.id, STAT_CD: 'R' }]);
      } finally {
        await stop();
      }
    }));

  it('stays in the outbox where there is no Redis at all', async () => {
    const stop = await start('redis://127.0.0.1:9');
    try {
      expect((await place()).status).toBe(201);
      const [event] = (await shop.database
        .read('event_outbox')
        .pluck('event')
        .orderBy('sequence', 'desc')) as string[];
      expect(JSON.parse(event ?? '')).toMatchObject({
        type: 'OrderConfirmed',
        specversion: '1.0',
        source: '/orders',
        dataversion: 1,
        epoch: 0,
        traceparent: expect.stringMatching(/^00-/),
      });
      expect(await shipments()).toEqual([]);
    } finally {
      await stop();
    }
  });
});
