import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { eventually } from '../../../tests/support/index.ts';
import { LedgerSideStore } from '../../ledger/index.ts';
import { withSidesOf } from '../../../tests/strangler/support/dialects.ts';
import type { Session } from '../../../tests/strangler/support/dialects.ts';
import { shop } from '../../../tests/strangler/support/shop.ts';
import { PostgresConnection } from './connection.ts';
import { APPLYING, FENCED_STATE } from './functions.ts';
import { install } from './install.ts';
import { PostgresLedger } from './ledger.ts';
import { Sequencer } from './sequencer.ts';

interface Stage {
  readonly store: LedgerSideStore;
  /** Somebody at a prompt. */
  readonly legacy: Session;
  /** One more session, which is ended with the others. */
  session(): Promise<Client>;
}

function withFence(work: (stage: Stage) => Promise<void>): Promise<void> {
  return withSidesOf('postgres', async ({ urls, legacy }) => {
    const connection = new PostgresConnection(urls.legacy);
    const sessions: Client[] = [];
    try {
      await install(connection, shop, 'legacy');
      const sequencer = new Sequencer(connection, 'shop');
      await work({
        store: new LedgerSideStore(new PostgresLedger(connection), sequencer, shop, 'legacy'),
        legacy,
        session: async () => {
          const client = new Client({ connectionString: urls.legacy });
          sessions.push(client);
          await client.connect();
          return client;
        },
      });
    } finally {
      for (const session of sessions) await session.end();
      await connection.close();
    }
  });
}

const insert = (sku: string): string =>
  `INSERT INTO "STOCK" ("SKU", "QTY", "RSV") VALUES ('${sku}', 1, 0)`;
const close = `UPDATE fig_fence SET state = 'closed', epoch = 2`;
const [open, closed] = [
  { state: 'open', epoch: 1 },
  { state: 'closed', epoch: 2 },
] as const;

async function closeIn(store: LedgerSideStore): Promise<boolean> {
  const lease = await store.acquireLease('a', 60_000);
  if (lease === null) throw new Error('no lease');
  const step = { handover: 'h1', step: 'close', detail: null };
  return store.step(step, lease, { from: open, to: closed });
}

/** Fulfilled when somebody waits for an advisory lock. */
async function somebodyWaits(legacy: Session): Promise<void> {
  const waiting = `SELECT FROM pg_stat_activity WHERE wait_event = 'advisory'`;
  await eventually(async () => (await legacy.rows(waiting)).length > 0);
}

describe('fences on PostgreSQL', () => {
  it('refuse every kind of write, also one that matches no row, and say why', () =>
    withFence(async ({ legacy }) => {
      await legacy.run(insert('a'));
      await legacy.run(`UPDATE fig_fence SET state = 'ceded', epoch = 7`);
      for (const sql of [
        insert('b'),
        `${insert('a')} ON CONFLICT DO NOTHING`,
        `${insert('a')} ON CONFLICT ("SKU") DO UPDATE SET "QTY" = 5`,
        'UPDATE "STOCK" SET "QTY" = 5',
        'UPDATE "STOCK" SET "QTY" = 5 WHERE false',
        'DELETE FROM "STOCK"',
        'DELETE FROM "STOCK" WHERE false',
        'TRUNCATE "STOCK"',
        `MERGE INTO "STOCK" USING (SELECT 1) s ON false WHEN MATCHED THEN DELETE`,
        `SET session_replication_role = 'origin'; COPY "STOCK" FROM PROGRAM 'true'`,
      ]) {
        await expect(legacy.run(sql)).rejects.toMatchObject({
          code: FENCED_STATE,
          message: 'FENCED: shop is ceded in this database at epoch 7',
          hint: 'The other side owns it: write there.',
        });
      }
      expect(await legacy.rows('SELECT "SKU", "QTY" FROM "STOCK"')).toEqual([
        { SKU: 'a', QTY: '1' },
      ]);
      await legacy.run(`BEGIN; ${APPLYING}; ${insert('applied')}; COMMIT`);
      await expect(legacy.run(insert('b'))).rejects.toThrow('FENCED');
    }));

  it('close behind those who write, before those who come later', () =>
    withFence(async ({ store, legacy, session }) => {
      const [early, late] = [await session(), await session()];
      await early.query(`BEGIN; ${insert('early')}`);
      const closing = closeIn(store);
      await somebodyWaits(legacy);
      const refused = expect(late.query(insert('late'))).rejects.toThrow('FENCED');
      await early.query(`${insert('early too')}; COMMIT`);
      expect(await closing).toBe(true);
      await refused;
      expect(await store.lastPosition()).toBe(3);
    }));

  it('close while writers follow one another without a gap', () =>
    withFence(async ({ store, session }) => {
      let going = true;
      let written = 0;
      const write = async (client: Client, sku: string): Promise<void> => {
        await client.query(insert(sku));
        while (going) {
          await client.query(`BEGIN; UPDATE "STOCK" SET "QTY" = "QTY" + 1 WHERE "SKU" = '${sku}'`);
          await delay(5);
          await client.query('COMMIT');
          written += 1;
        }
      };
      const writers = await Promise.all(['a', 'b', 'c'].map(async (sku) => [sku, await session()]));
      const writing = writers.map(([sku, client]) => write(client as Client, sku as string));
      const stopped = writing.map((one) => one.catch((error: unknown) => String(error)));
      await eventually(() => written > 20);
      expect(await closeIn(store)).toBe(true);
      going = false;
      for (const end of await Promise.all(stopped)) expect(end ?? 'FENCED').toContain('FENCED');
    }));

  it('give up on a long transaction, and let everybody go on', () =>
    withFence(async ({ store, legacy, session }) => {
      const long = await session();
      await long.query(`BEGIN; ${insert('long')}`);
      await expect(closeIn(store)).rejects.toThrow('kept the fence of shop from moving for 900 ms');
      await legacy.run(insert('meanwhile'));
      // Taking back moves the epoch alone, which waits for nobody.
      const lease = await store.acquireLease('a', 60_000);
      const abort = { handover: 'h1', step: 'abort', detail: null };
      const back = { from: open, to: { state: 'open', epoch: 3 } } as const;
      expect(lease && (await store.step(abort, lease, back))).toBe(true);
      await long.query(`${insert('long too')}; COMMIT`);
      expect(await legacy.rows('SELECT FROM "STOCK"')).toHaveLength(3);
    }));

  it('wait for those who write, also when they are closed by hand', () =>
    withFence(async ({ legacy, session }) => {
      const [writer, operator] = [await session(), await session()];
      await writer.query(`BEGIN; ${insert('a')}`);
      let isClosed = false;
      const closing = operator.query(close).then(() => (isClosed = true));
      await somebodyWaits(legacy);
      expect(isClosed).toBe(false);
      await writer.query('COMMIT');
      await closing;
      await expect(legacy.run(insert('b'))).rejects.toThrow('FENCED');
    }));

  it.each(['REPEATABLE READ', 'SERIALIZABLE'])(
    'do not let a %s transaction write that still sees them open',
    (isolation) =>
      withFence(async ({ legacy, session }) => {
        const old = await session();
        await old.query(`BEGIN ISOLATION LEVEL ${isolation}; SELECT FROM "STOCK"`);
        await legacy.run(close);
        await expect(old.query(insert('a'))).rejects.toMatchObject({ code: '40001' });
        await old.query(`ROLLBACK; BEGIN ISOLATION LEVEL ${isolation}`);
        await expect(old.query(insert('a'))).rejects.toMatchObject({ code: FENCED_STATE });
      }),
  );

  it('bind users who may do nothing with the tables of Fig', () =>
    withFence(async ({ legacy, session }) => {
      await legacy.run(`CREATE ROLE fig_test_clerk; GRANT ALL ON "STOCK" TO fig_test_clerk`);
      const clerk = await session();
      await clerk.query('SET ROLE fig_test_clerk');
      await clerk.query(insert('a'));
      await expect(clerk.query('DELETE FROM fig_fence')).rejects.toThrow('permission denied');
      await legacy.run(close);
      await expect(clerk.query(insert('b'))).rejects.toThrow('FENCED');
      await clerk.query('RESET ROLE; REVOKE ALL ON "STOCK" FROM fig_test_clerk');
      await clerk.query('DROP ROLE fig_test_clerk');
      expect(await legacy.rows('SELECT key FROM fig_capture_shop')).toHaveLength(1);
    }));
});
