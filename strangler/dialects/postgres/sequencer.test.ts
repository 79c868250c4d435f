import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { withSidesOf } from '../../../tests/strangler/support/dialects.ts';
import { shop } from '../../../tests/strangler/support/shop.ts';
import { PostgresConnection } from './connection.ts';
import { PostgresFeedReader } from './feed-reader.ts';
import { install } from './install.ts';
import { Sequencer } from './sequencer.ts';

describe('the sequencer', () => {
  it('passes over nobody who commits late, however often it has looked meanwhile', () =>
    withSidesOf('postgres', async ({ urls, legacy }) => {
      const connection = new PostgresConnection(urls.legacy);
      const late = new Client({ connectionString: urls.legacy });
      await late.connect();
      try {
        await install(connection, shop, 'legacy');
        const feed = new PostgresFeedReader(
          connection,
          new Sequencer(connection, 'shop'),
          'shop',
          'legacy',
        );
        const insert = (sku: string): string =>
          `INSERT INTO "STOCK" ("SKU", "QTY", "RSV") VALUES ('${sku}', 1, 0)`;
        await legacy.run(insert('first'));
        await late.query(`BEGIN; ${insert('late')}`);
        for (const sku of ['a', 'b', 'c', 'd']) {
          await feed.read(1, 100);
          await legacy.run(insert(sku));
        }
        await feed.read(1, 100);
        await late.query('COMMIT');
        const { changes } = await feed.read(1, 100);
        expect(changes.map(({ key }) => key['SKU'])).toEqual(['first', 'a', 'b', 'c', 'd', 'late']);
      } finally {
        await late.end();
        await connection.close();
      }
    }));

  it('moves a backlog in batches of whole transactions, in an order that no row contradicts', () =>
    withSidesOf('postgres', async ({ urls, legacy }) => {
      const connection = new PostgresConnection(urls.legacy);
      const others = [0, 1].map(() => new Client({ connectionString: urls.legacy }));
      for (const other of others) await other.connect();
      try {
        await install(connection, shop, 'legacy');
        const write = (sku: string, quantity: number): string =>
          `INSERT INTO "STOCK" ("SKU", "QTY", "RSV") VALUES ('${sku}', ${quantity}, 0)
             ON CONFLICT ("SKU") DO UPDATE SET "QTY" = excluded."QTY"`;
        const [long, short] = others as [Client, Client];
        for (let first = 0; first < 10; first += 1) await legacy.run(write(`first${first}`, 1));
        // The long one begins first, ends last, and goes on with a row of the short one.
        await long.query(`BEGIN; ${write('long', 1)}`);
        await short.query(`BEGIN; ${write('both', 1)}`);
        for (let more = 0; more < 10; more += 1) {
          await legacy.run(write(`r${more}`, 1));
          await long.query(write('long', more));
          await short.query(write('short', more));
        }
        await short.query('COMMIT');
        await long.query(`${write('both', 2)}; COMMIT`);
        const sequencer = new Sequencer(connection, 'shop', 3);
        const feed = new PostgresFeedReader(connection, sequencer, 'shop', 'legacy');
        await sequencer.run(4);
        const moved = await connection.query('SELECT FROM fig_feed_shop');
        expect(moved.rowCount).toBeLessThan(12);
        const { changes, upto } = await feed.read(0, 1_000);
        expect(upto).toBeLessThanOrEqual(await feed.last());
        const rest = await feed.read(upto, 1_000);
        const all = [...changes, ...rest.changes];
        expect(all.map(({ position }) => position)).toEqual(all.map((_, index) => index + 1));
        expect(all).toHaveLength(1 + 10 + 10 + 11 + 12);
        const runs = all.filter(({ tx }, index) => tx !== all[index - 1]?.tx);
        expect(new Set(runs.map(({ tx }) => tx)).size).toBe(runs.length);
        const both = all.filter(({ key }) => key['SKU'] === 'both');
        expect(both.map(({ image }) => image?.['QTY'])).toEqual([1, 2]);
      } finally {
        for (const other of others) await other.end();
        await connection.close();
      }
    }));
});
