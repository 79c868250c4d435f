import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { migrate } from '../chassis/index.ts';
import type { Database } from '../chassis/index.ts';
import { dialectsOfRun, setFence, temporaryDatabase } from '../tests/support/index.ts';
import { monolithMigrations } from './monolith/index.ts';
import { paymentMigrations } from './payment/index.ts';

const AT = '2026-01-01 00:00:00.000';
const key = (name: string, resource: string | null) => ({
  IDEM_KEY: name,
  REQ_HASH: 'hash',
  STATE_CD: 'D',
  ATT_ID: 'a-1',
  RES_ID: resource,
  CRT_TS: AT,
});

describe.each(dialectsOfRun)('rows from before customers moved one by one, on %s', (dialect) => {
  let database: Database;

  const before = (migrations: typeof monolithMigrations, newest: string) =>
    migrations.slice(
      0,
      migrations.findIndex(({ name }) => name === newest),
    );

  async function oldMonolith(): Promise<void> {
    database = await temporaryDatabase(
      before(monolithMigrations, '0006-payment-customers'),
      dialect,
    );
    await database.transaction(async (trx) => {
      const times = { CRT_TS: AT, UPD_TS: AT };
      const payment = { ORD_NO: 'o', AMT_TXT: '1.00', CURR_CD: 'USD', METH_CD: 'card_ok' };
      await trx('PAY_TXN').insert([
        { PAY_NO: 'p-1', CUST_NO: 'ALICE', ...payment, STAT_CD: 'S', ...times },
        { PAY_NO: 'p-2', CUST_NO: 'BOB', ...payment, STAT_CD: 'S', ...times },
      ]);
      await trx('PAY_RFND').insert({
        RFND_NO: 'r-1',
        PAY_NO: 'p-2',
        AMT_TXT: '1.00',
        STAT_CD: 'S',
        ...times,
      });
      await trx('PAY_IDEM').insert([key('k-1', 'p-1'), key('k-2', 'r-1'), key('k-3', null)]);
    });
  }

  const customersOf = async (table: string, by: string, column: string) =>
    Object.fromEntries(
      (await database.read(table).select(by, column)).map((row: Record<string, string>) => [
        row[by],
        row[column],
      ]),
    ) as Record<string, string>;

  beforeEach(oldMonolith);
  afterEach(() => database.close());

  it('are told whose they are', async () => {
    await migrate(database, monolithMigrations);
    expect(await customersOf('PAY_RFND', 'RFND_NO', 'CUST_NO')).toEqual({ 'r-1': 'BOB' });
    expect(await customersOf('PAY_IDEM', 'IDEM_KEY', 'CUST_NO')).toEqual({
      'k-1': 'ALICE',
      'k-2': 'BOB',
      'k-3': '',
    });
  });

  it('are left to their owner where that is the other side', async () => {
    await setFence(database, 'payment', 'ceded', 2);
    await migrate(database, monolithMigrations);
    expect(await customersOf('PAY_RFND', 'RFND_NO', 'CUST_NO')).toEqual({ 'r-1': '' });
  });

  it('are let be where the tables have been retired', async () => {
    await database.transaction(async (trx) => {
      await trx.schema.renameTable('PAY_RFND', 'PAY_RFND_retired');
      await trx.schema.renameTable('PAY_IDEM', 'PAY_IDEM_retired');
    });
    await migrate(database, monolithMigrations);
    expect(await database.read.schema.hasColumn('PAY_RFND_retired', 'CUST_NO')).toBe(false);
  });
});

describe.each(dialectsOfRun)('the payment service on %s', (dialect) => {
  it('tells its older rows whose they are', async () => {
    const database = await temporaryDatabase(paymentMigrations.slice(0, 2), dialect);
    try {
      await database.transaction(async (trx) => {
        await trx('payments').insert({
          id: 'p-1',
          order_id: 'o',
          customer_id: 'ALICE',
          amount_minor: 100,
          currency: 'USD',
          method: 'card_ok',
          created_at: 1,
        });
        const entry = { payment_id: 'p-1', amount_minor: 100, at: 1 };
        await trx('payment_entries').insert([
          { ...entry, entry_id: 'settlement', kind: 'captured' },
          { ...entry, entry_id: 'refund:r-1', kind: 'refund_requested' },
        ]);
        const row = { request_hash: 'h', state: 'done', attempt_id: 'a', created_at: 1 };
        await trx('request_keys').insert([
          { key: 'k-1', resource_id: 'p-1', ...row },
          { key: 'k-2', resource_id: 'r-1', ...row },
        ]);
      });
      await migrate(database, paymentMigrations);
      for (const table of ['payment_entries', 'request_keys']) {
        expect(await database.read(table).pluck('customer_id')).toEqual(['ALICE', 'ALICE']);
      }
    } finally {
      await database.close();
    }
  });
});
