import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { eventually, inSoak } from '../tests/support/index.ts';
import { openShop } from '../tests/support/shop.ts';
import type { Shop } from '../tests/support/shop.ts';
import type { Answer } from '../tests/support/index.ts';

export type Told = Answer<{ id: string; code?: string; detail?: string }>;
const ORDERS = inSoak(20, 4);
export const order = {
  customerId: 'ALICE',
  items: [{ sku: 'A', quantity: 1 }],
  paymentMethod: 'card_ok',
};

export function expectHonest({ status, headers, body }: Told): void {
  if (status < 500) return;
  expect([status, body.code, headers['retry-after']]).toEqual([503, expect.any(String), '1']);
}

describe('clients of a monolith whose PostgreSQL connections are cut', () => {
  let shop: Shop;
  let admin: Client;

  beforeEach(async () => {
    shop = await openShop({ dialect: 'postgres', timing: { orderPatienceMs: 2_000 } });
    admin = new Client({ connectionString: shop.database.url });
    await admin.connect();
  });

  afterEach(async () => {
    await admin.end();
    await shop.close();
  });

  const cut = () =>
    admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );

  it('are told 503 with Retry-After, and find under its key what became of a write', async () => {
    let cutting = true;
    const cuts = (async () => {
      while (cutting) await cut();
    })();
    const met: string[] = [];
    const orders = Array.from({ length: ORDERS }, async (_, index) => {
      const headers = { 'idempotency-key': `cut-${index}` };
      for (;;) {
        const told = (await shop.post('/api/orders', order, headers)) as Told;
        expectHonest(told);
        expectHonest((await shop.get('/api/inventory/A')) as Told);
        if (told.status === 201) return told.body.id;
        met.push(String(told.body.code));
        if (told.body.code === 'database_unavailable') {
          expect(told.body.detail).toContain(`"cut-${index}"`);
          cutting = met.filter((code) => code === 'database_unavailable').length < ORDERS;
        }
      }
    });
    const ids = await Promise.all(orders);
    cutting = false;
    await cuts;
    expect(met).toContain('database_unavailable');
    expect(new Set(ids).size).toBe(ORDERS);
    const left = 100 - ORDERS;
    await eventually(async () => {
      expect(await shop.stockOf('A')).toEqual({ onHand: left, reserved: 0, available: left });
    });
    expect((await shop.ledger()).totals).toEqual({ USD: { charged: ORDERS * 1_000, refunded: 0 } });
  });
});
