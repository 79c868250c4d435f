import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { createLog } from '../../../chassis/index.ts';
import { eventually, withPostgres } from '../../../tests/support/index.ts';
import { Replication } from '../../replication/replication.ts';
import { openSides } from '../../sides/sides.ts';
import { oneTable } from '../../../tests/strangler/support/one-table.ts';

const counters = oneTable({
  capability: 'counters',
  table: 'counter',
  name: 'counters',
  key: 'id',
  columns: ['count'],
});

/** One statement in a session of its own. @throws while the server is away */
async function once<T extends object>(url: string, sql: string): Promise<T[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

const COUNTS = 'SELECT id, count FROM counter ORDER BY id';

describe('a PostgreSQL server that is killed', () => {
  it('has lost nothing when it is back, and the feed goes on by itself', () =>
    withPostgres(async (postgres) => {
      const [legacy, extracted] = [
        (await postgres.createDatabase()).url,
        (await postgres.createDatabase()).url,
      ];
      for (const url of [legacy, extracted]) {
        await once(url, 'CREATE TABLE counter (id INTEGER PRIMARY KEY, count INTEGER NOT NULL)');
      }
      const databases = openSides(counters, { legacy, extracted });
      const replication = new Replication({
        mapping: counters,
        databases,
        log: createLog('test', 'silent'),
      });
      await replication.install();
      await replication.start();
      let acknowledged = 0;
      const write = async (): Promise<void> => {
        // Each in a transaction of its own, some rows again and again.
        await once(
          legacy,
          `INSERT INTO counter SELECT i, 1 FROM generate_series(1, ${1 + (acknowledged % 7)}) i
             ON CONFLICT (id) DO UPDATE SET count = counter.count + 1`,
        );
        acknowledged += 1;
      };
      try {
        for (let round = 0; round < 3; round += 1) {
          const upto = acknowledged + 20;
          const killed = (async () => {
            await eventually(() => acknowledged >= upto - 10, { intervalMs: 1 });
            await postgres.kill();
          })();
          while (acknowledged < upto) await write().catch(() => undefined);
          await killed;
          await eventually(async () => void (await once(legacy, 'SELECT 1')));
        }
        await eventually(async () => {
          await replication.barrier();
          expect(await once(extracted, COUNTS)).toEqual(await once(legacy, COUNTS));
        });
        const [first] = await once<{ count: number }>(legacy, COUNTS);
        // Whatever was acknowledged is there; a write whose answer was lost may be, too.
        expect(first?.count).toBeGreaterThanOrEqual(acknowledged);
        expect((await replication.status()).problem).toBeNull();
      } finally {
        await replication.stop();
      }
    }));
});
