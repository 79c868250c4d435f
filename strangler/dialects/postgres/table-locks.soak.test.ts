import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { withSidesOf } from '../../../tests/strangler/support/dialects.ts';
import { shop } from '../../../tests/strangler/support/shop.ts';
import { PostgresConnection } from './connection.ts';
import { install } from './install.ts';
import { readSchemas } from './schema.ts';
import { reEmit } from './re-emit.ts';
import { Sequencer } from './sequencer.ts';
import { PostgresLedger } from './ledger.ts';
import { PostgresShadowFence } from './shadow-fence.ts';
import { uninstall } from './uninstall.ts';

/** Short, so that whoever waits in a circle is found soon. */
const DEADLOCK_MS = 200;
const TIMES = 6;
const ORDERS = 30;

const WRITES = [
  `UPDATE "STOCK" SET "QTY" = "QTY" + 1 WHERE "SKU" = 'a'`,
  `UPDATE "LINES" SET "NO" = "NO" WHERE "DOC" = 'd'`,
  `UPDATE "PAY" SET "STAT" = 'S' WHERE "PAY_NO" = 'p'`,
  `UPDATE "RFND" SET "RFND_NO" = "RFND_NO" WHERE "RFND_NO" = 'r'`,
];

/** Does `work` beside a business that writes to all tables in every transaction, in any order. */
function besideBusiness(
  work: (connection: PostgresConnection, orders: () => number) => Promise<void>,
): Promise<void> {
  return withSidesOf('postgres', async ({ urls: { legacy: url }, legacy }) => {
    const { pathname } = new URL(url);
    await legacy.run(`ALTER DATABASE "${pathname.slice(1)}" SET deadlock_timeout = ${DEADLOCK_MS}`);
    const connection = new PostgresConnection(url);
    await install(connection, shop, 'legacy');
    await legacy.run(`INSERT INTO "STOCK" ("SKU", "QTY", "RSV") VALUES ('a', 1, 0)`);
    const client = new Client({ connectionString: url });
    await client.connect();
    const business = { open: true, orders: 0 };
    const trading = (async () => {
      while (business.open) {
        await client.query('BEGIN');
        const step = business.orders % 2 === 0 ? 1 : 3;
        for (let index = 0; index < WRITES.length; index += 1) {
          const write = WRITES[(business.orders + index * step) % WRITES.length];
          await client.query(`${write}; SELECT pg_sleep(0.003)`);
        }
        await client.query('COMMIT');
        business.orders += 1;
        await delay(5);
      }
    })();
    const ended = Promise.allSettled([trading]);
    try {
      await work(connection, () => business.orders);
    } finally {
      business.open = false;
      await ended;
      await client.end();
      await connection.close();
    }
    await expect(trading).resolves.toBeUndefined();
  });
}

describe('what locks tables on PostgreSQL', () => {
  it('never has a transaction of the business ended: watching', () =>
    besideBusiness(async (connection) => {
      const fence = new PostgresShadowFence(
        connection,
        new PostgresLedger(connection),
        shop,
        'legacy',
      );
      for (let time = 0; time < TIMES; time += 1) {
        await fence.on();
        await fence.off();
      }
    }));

  it('never has a transaction of the business ended: installing, and taking out', () =>
    besideBusiness(async (connection) => {
      for (let time = 0; time < TIMES; time += 1) {
        await uninstall(connection, 'shop');
        await install(connection, shop, 'legacy');
      }
    }));

  it('never has a transaction of the business ended: sending rows again', () =>
    besideBusiness(async (connection, orders) => {
      const sequencer = new Sequencer(connection, 'shop');
      const schemas = await connection.snapshot((client) =>
        readSchemas(client, ['STOCK', 'LINES', 'PAY', 'RFND']),
      );
      const of = { connection, sequencer, mapping: shop, side: 'legacy', schemas } as const;
      while (orders() < ORDERS) {
        await reEmit(of, [
          { table: 'STOCK', key: { SKU: 'a' } },
          { table: 'STOCK', key: { SKU: 'none' } },
          { table: 'PAY', key: { PAY_NO: 'none' } },
        ]);
      }
    }));
});
