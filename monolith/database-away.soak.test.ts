import { describe, expect, it } from '@jest/globals';
import { eventually, withPostgres } from '../tests/support/index.ts';
import { openShop } from '../tests/support/shop.ts';
import { expectHonest, order } from './database-away.test.ts';
import type { Told } from './database-away.test.ts';

describe('clients of a monolith whose PostgreSQL is restarted', () => {
  it('are told 503 until it is back', async () => {
    await withPostgres(async (postgres) => {
      const { url } = await postgres.createDatabase();
      const shop = await openShop({ databaseUrl: url });
      try {
        expect((await shop.get('/api/orders?customerId=ALICE')).status).toBe(200);
        await postgres.kill('SIGKILL');
        const met: Told[] = [];
        await eventually(async () => {
          met.push((await shop.get('/api/orders?customerId=ALICE')) as Told);
          expect(met.at(-1)?.status).toBe(200);
        });
        met.forEach(expectHonest);
        const placed = (await shop.post('/api/orders', order)) as Told;
        expect(placed.status).toBe(201);
      } finally {
        await shop.close();
      }
    });
  });
});
