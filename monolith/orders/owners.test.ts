import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createExpressServer, createLog, listen, requestKeys } from '../../chassis/index.ts';
import type { Database, Listening } from '../../chassis/index.ts';
import { buildApp as buildInventory } from '../../extracted/inventory/index.ts';
import {
  buildApp as buildPayment,
  createProvider,
  paymentGuard,
} from '../../extracted/payment/index.ts';
import { inventoryMigrations } from '../../migrations/inventory/index.ts';
import { paymentMigrations } from '../../migrations/payment/index.ts';
import { eventually, openShop, setFence, temporaryDatabase } from '../../tests/support/index.ts';
import type { Shop } from '../../tests/support/index.ts';

const log = createLog('test', 'silent');
let inventoryDatabase: Database;
let paymentDatabase: Database;
let inventory: Listening;
let payment: Listening;
let shop: Shop;

const serve = (app: Parameters<typeof createExpressServer>[0], port = 0) =>
  listen(createExpressServer(app), { port, host: '127.0.0.1', variable: 'PORT' });

/** A payment service needs the shop's provider, and the shop its address: so it listens first. */
beforeEach(async () => {
  inventoryDatabase = await temporaryDatabase(inventoryMigrations);
  paymentDatabase = await temporaryDatabase(paymentMigrations);
  await inventoryDatabase.transaction(async (trx) => {
    await trx('stock_levels').insert({ sku: 'A', on_hand: 50, updated_at: 0 });
    await trx('stock_holds').insert({ sku: 'A', reserved: 0 });
  });
  inventory = await serve(buildInventory({ database: inventoryDatabase, log }));
  const placeholder = await serve(buildInventory({ database: inventoryDatabase, log }));
  const paymentPort = placeholder.port;
  await placeholder.close(0);
  shop = await openShop({
    inventoryUrl: `http://127.0.0.1:${inventory.port}`,
    paymentUrl: `http://127.0.0.1:${paymentPort}`,
  });
  const provider = createProvider({ url: shop.providerUrl, timeoutMs: 300 });
  const scope = {
    database: paymentDatabase,
    guard: paymentGuard,
    keys: requestKeys,
    now: Date.now,
  };
  payment = await serve(buildPayment({ scope, provider, log }), paymentPort);
});

afterEach(async () => {
  await shop.close();
  await Promise.all([inventory.close(0), payment.close(0)]);
  await Promise.all([inventoryDatabase.close(), paymentDatabase.close()]);
});

async function hand(capability: 'inventory' | 'payment', to: 'service' | 'monolith' | 'nobody') {
  const service = capability === 'inventory' ? inventoryDatabase : paymentDatabase;
  epoch += 1;
  // Closed before the other opens, as in a handover.
  if (to !== 'monolith') await setFence(shop.database, capability, 'closed', epoch);
  if (to !== 'service') await setFence(service, capability, 'closed', epoch);
  if (to === 'service') await setFence(service, capability, 'open', epoch);
  if (to === 'monolith') await setFence(shop.database, capability, 'open', epoch);
}
let epoch = 1;

const place = (paymentMethod = 'card_ok', quantity = 1) =>
  shop.post('/api/orders', {
    customerId: 'ALICE',
    items: [{ sku: 'A', quantity }],
    paymentMethod,
  });

const onHandAtService = async () =>
  (await inventoryDatabase.read('stock_levels').where({ sku: 'A' }).first('on_hand')) as unknown;

describe('an order', () => {
  it('takes goods and money from the services that own them', async () => {
    await hand('inventory', 'service');
    await hand('payment', 'service');
    const { status, body } = await place('card_ok', 2);
    expect(status).toBe(201);
    expect(await onHandAtService()).toEqual({ on_hand: 48 });
    expect(await shop.stockOf('A')).toEqual({ onHand: 100, reserved: 0, available: 100 });
    expect(await shop.count('PAY_TXN', 'INV_RSV')).toEqual({ PAY_TXN: 0, INV_RSV: 0 });
    const short = await place('card_ok', 1000);
    expect([short.status, short.body.skus]).toEqual([409, ['A']]);
    expect((await place('card_declined')).status).toBe(402);
    expect((await place('card_timeout')).status).toBe(201);
    expect((await shop.post(`/api/orders/${body.id}/cancel`)).status).toBe(200);
    expect(await onHandAtService()).toEqual({ on_hand: 49 });
    expect((await shop.ledger()).totals).toEqual({ USD: { charged: 3000, refunded: 2000 } });
  });

  it('finds the owner again each time it changes', async () => {
    for (const owner of ['service', 'monolith', 'service', 'monolith'] as const) {
      await hand('inventory', owner);
      await hand('payment', owner);
      expect((await place()).status).toBe(201);
    }
    expect(await onHandAtService()).toEqual({ on_hand: 48 });
    expect(await shop.stockOf('A')).toMatchObject({ onHand: 98 });
    expect((await shop.ledger()).charges).toHaveLength(4);
  });

  it('waits while there is no owner, and goes on when there is one', async () => {
    await hand('inventory', 'nobody');
    const placing = place();
    await eventually(async () => {
      const row: unknown = await shop.database.read('ORD_SAGA').first('SAGA_ID');
      return row !== undefined;
    });
    await hand('inventory', 'service');
    expect((await placing).status).toBe(201);
    expect(await onHandAtService()).toEqual({ on_hand: 49 });
  });

  it('is placed once among many while the owner comes and goes', async () => {
    const placing = Array.from({ length: 20 }, () => place('card_ok'));
    // Stock does not travel in this test, so it always comes back to where it was.
    for (const owner of ['nobody', 'monolith', 'nobody', 'monolith'] as const) {
      await hand('inventory', owner);
    }
    const answers = await Promise.all(placing);
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(201));
    expect(await shop.stockOf('A')).toEqual({ onHand: 80, reserved: 0, available: 80 });
    const { charges } = await shop.ledger();
    expect(charges).toHaveLength(20);
    expect(charges.every(({ requests }) => requests === 1)).toBe(true);
  });
});
