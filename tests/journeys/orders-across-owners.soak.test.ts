import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createExpressServer, createLog, listen, LOOPBACK_ONLY } from '../../chassis/index.ts';
import type { Database, Listening } from '../../chassis/index.ts';
import { buildApp as buildInventory } from '../../extracted/inventory/index.ts';
import {
  buildApp as buildPayment,
  createProvider,
  paymentGuard,
  paymentKeys,
} from '../../extracted/payment/index.ts';
import { inventoryMigrations } from '../../migrations/inventory/index.ts';
import { inventoryMapping } from '../../migrations/inventory/mapping.ts';
import { paymentMigrations } from '../../migrations/payment/index.ts';
import { paymentMapping } from '../../migrations/payment/mapping.ts';
import { tablesOf } from '../../strangler/index.ts';
import { dialects, eventually, setFence, temporaryDatabase } from '../support/index.ts';
import { moveRows } from '../support/move-rows.ts';
import { openShop } from '../support/shop.ts';
import type { Shop } from '../support/shop.ts';

type Capability = 'inventory' | 'payment';
type Owner = 'monolith' | 'service';

const log = createLog('test', 'silent');
const mappings = { inventory: inventoryMapping, payment: paymentMapping };
let services: Record<Capability, Database>;
let inventory: Listening;
let payment: Listening;
let shop: Shop;
let owners: Record<Capability, Owner>;
let epoch: number;

const serve = (app: Parameters<typeof createExpressServer>[0], port = 0) =>
  listen(createExpressServer(app), { port, host: '127.0.0.1', variable: 'PORT' });

describe.each(dialects)('on %s', (dialect) => {
  beforeEach(async () => {
    owners = { inventory: 'monolith', payment: 'monolith' };
    epoch = 1;
    services = {
      inventory: await temporaryDatabase(inventoryMigrations, dialect),
      payment: await temporaryDatabase(paymentMigrations, dialect),
    };
    inventory = await serve(
      buildInventory({ access: LOOPBACK_ONLY, database: services.inventory, log }),
    );
    // The payment service needs the shop's provider, and the shop the service's address.
    const placeholder = await serve(
      buildInventory({ access: LOOPBACK_ONLY, database: services.inventory, log }),
    );
    await placeholder.close(0);
    shop = await openShop({
      dialect,
      slowMs: 250,
      inventoryUrl: `http://127.0.0.1:${inventory.port}`,
      paymentUrl: `http://127.0.0.1:${placeholder.port}`,
    });
    const provider = createProvider({ url: shop.providerUrl, timeoutMs: 300 });
    const scope = {
      database: services.payment,
      guard: paymentGuard,
      keys: paymentKeys,
      now: Date.now,
    };
    payment = await serve(
      buildPayment({ access: LOOPBACK_ONLY, scope, provider, log }),
      placeholder.port,
    );
  });

  afterEach(async () => {
    await shop.close();
    await Promise.all([inventory.close(0), payment.close(0)]);
    await Promise.all([services.inventory.close(), services.payment.close()]);
  });

  /** A handover without an engine: close, carry all rows over through the mapping, open. */
  async function handOver(capability: Capability): Promise<void> {
    const mapping = mappings[capability];
    const outward = owners[capability] === 'monolith';
    const from = outward ? 'legacy' : 'extracted';
    const source = outward ? shop.database : services[capability];
    const target = outward ? services[capability] : shop.database;
    epoch += 1;
    await setFence(source, capability, 'closed', epoch);
    const tables = tablesOf(mapping, from).map(
      async (table) => [table, await source.read(table)] as const,
    );
    const rows = moveRows(mapping, from, Object.fromEntries(await Promise.all(tables)));
    await target.transaction(async (trx) => {
      for (const [table, list] of Object.entries(rows)) {
        await trx(table).delete();
        for (const row of list) await trx(table).insert(row);
      }
    });
    owners[capability] = outward ? 'service' : 'monolith';
    await setFence(source, capability, 'ceded', epoch);
    await setFence(target, capability, 'open', epoch);
  }

  /** The same for the payments of one customer, ahead of the others. */
  async function handOverPaymentsOf(customer: string): Promise<void> {
    const [source, target] = [shop.database, services.payment];
    for (const key of ['*', customer]) await setFence(source, 'payment', 'open', 1, key);
    await setFence(target, 'payment', 'closed', 0, customer);
    await setFence(source, 'payment', 'closed', 2, customer);
    const tables = tablesOf(paymentMapping, 'legacy').map(
      async (table) => [table, await source.read(table).where({ CUST_NO: customer })] as const,
    );
    const rows = moveRows(paymentMapping, 'legacy', Object.fromEntries(await Promise.all(tables)));
    await target.transaction(async (trx) => {
      for (const [table, list] of Object.entries(rows)) {
        for (const row of list) await trx(table).insert(row);
      }
    });
    await setFence(source, 'payment', 'ceded', 2, customer);
    await setFence(target, 'payment', 'open', 2, customer);
  }

  const place = (paymentMethod = 'card_ok', quantity = 1, customerId = 'ALICE') =>
    shop.post('/api/orders', {
      customerId,
      items: [{ sku: 'A', quantity }],
      paymentMethod,
    });

  /** On hand and reserved, where inventory is owned. */
  async function stock(): Promise<[onHand: number, reserved: number]> {
    if (owners.inventory === 'monolith') {
      const { onHand, reserved } = await shop.stockOf('A');
      return [onHand, reserved];
    }
    const { on_hand: onHand } = await services.inventory
      .read('stock_levels')
      .where({ sku: 'A' })
      .first();
    const { reserved } = await services.inventory.read('stock_holds').where({ sku: 'A' }).first();
    return [onHand, reserved];
  }

  const charged = (count: number) =>
    eventually(async () => (await shop.ledger()).charges.length === count, { intervalMs: 2 });

  describe('an order', () => {
    it('takes goods and money from the services that own them', async () => {
      await handOver('inventory');
      await handOver('payment');
      const { status, body } = await place('card_ok', 2);
      expect(status).toBe(201);
      expect(await shop.count('PAY_TXN', 'INV_RSV')).toEqual({ PAY_TXN: 0, INV_RSV: 0 });
      const short = await place('card_ok', 1000);
      expect([short.status, short.body.skus]).toEqual([409, ['A']]);
      expect((await place('card_declined')).status).toBe(402);
      expect((await place('card_timeout')).status).toBe(201);
      expect(await stock()).toEqual([97, 0]);
      expect((await shop.post(`/api/orders/${body.id}/cancel`)).status).toBe(200);
      expect(await stock()).toEqual([99, 0]);
      expect((await shop.ledger()).totals).toEqual({ USD: { charged: 3000, refunded: 2000 } });
    });

    it.each([
      ['out', 0],
      ['back', 1],
    ])(
      'that is being charged when both move %s is charged and confirmed once',
      async (_way, before) => {
        for (let moves = 0; moves < before; moves += 1) {
          await handOver('inventory');
          await handOver('payment');
        }
        const slow = place('card_slow');
        const lost = place('card_timeout');
        await charged(2);
        await Promise.all([handOver('payment'), handOver('inventory')]);
        const answers = await Promise.all([slow, lost]);
        expect(answers.map(({ status }) => status)).toEqual([201, 201]);
        const { charges, totals } = await shop.ledger();
        expect(charges).toMatchObject([{ requests: 1 }, { requests: 1 }]);
        expect(totals).toEqual({ USD: { charged: 2000, refunded: 0 } });
        expect(await stock()).toEqual([98, 0]);
        // And what was bought at one owner is given back at the other.
        for (const { body } of answers) {
          expect((await shop.post(`/api/orders/${body.id}/cancel`)).status).toBe(200);
        }
        expect(await stock()).toEqual([100, 0]);
        expect((await shop.ledger()).totals).toEqual({ USD: { charged: 2000, refunded: 2000 } });
      },
    );

    it('is placed once among many while owners change to and fro', async () => {
      const placing = Array.from({ length: 24 }, (_, index) =>
        place(index % 4 === 0 ? 'card_declined' : 'card_ok'),
      );
      for (let moves = 0; moves < 4; moves += 1) {
        await handOver('inventory');
        await handOver('payment');
      }
      const answers = await Promise.all(placing);
      expect(answers.filter(({ status }) => status === 402)).toHaveLength(6);
      const confirmed = answers.filter(({ status }) => status === 201);
      expect(confirmed).toHaveLength(18);
      expect(await stock()).toEqual([82, 0]);
      const { charges, totals } = await shop.ledger();
      expect(charges).toHaveLength(24);
      expect(totals).toEqual({ USD: { charged: 18_000, refunded: 0 } });
    });

    it('is charged where its customer is, also who moves ahead while the card is charged', async () => {
      const slow = [place('card_slow', 1, 'ALICE'), place('card_timeout', 1, 'BOB')];
      await charged(2);
      await handOverPaymentsOf('ALICE');
      const answers = await Promise.all(slow);
      answers.push(await place('card_ok', 1, 'ALICE'), await place('card_ok', 1, 'BOB'));
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
      const customers = shop.database.read('PAY_TXN').orderBy('CUST_NO').pluck('CUST_NO');
      expect(await customers).toEqual(['ALICE', 'BOB', 'BOB']);
      expect(await services.payment.read('payments').pluck('customer_id')).toEqual([
        'ALICE',
        'ALICE',
      ]);
      for (const { body } of answers) {
        expect((await shop.post(`/api/orders/${body.id}/cancel`)).status).toBe(200);
      }
      const { charges, totals } = await shop.ledger();
      expect(charges.map(({ requests }) => requests)).toEqual([1, 1, 1, 1]);
      expect(totals).toEqual({ USD: { charged: 4000, refunded: 4000 } });
    });

    it('waits while there is no owner, and goes on when there is one', async () => {
      await setFence(shop.database, 'inventory', 'closed', 2);
      const placing = place();
      await eventually(async () => (await shop.count('ORD_SAGA'))['ORD_SAGA'] === 1);
      await setFence(shop.database, 'inventory', 'open', 3);
      expect((await placing).status).toBe(201);
      expect(await stock()).toEqual([99, 0]);
    });
  });
});
