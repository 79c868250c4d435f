import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { withSidesOf } from '../testing/dialects.ts';
import { shop } from '../testing/shop.ts';
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
});
