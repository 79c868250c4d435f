import type { Migration } from '../../chassis/index.ts';
import { createIdempotencyTable } from './idempotency-table.ts';

export const payment: Migration = {
  name: '0003-payment',
  async up(knex) {
    await knex.schema.createTable('PAY_TXN', (t) => {
      t.text('PAY_NO').primary();
      t.text('ORD_NO').notNullable().index('PAY_TXN_ORD');
      t.text('CUST_NO').notNullable();
      t.text('AMT_TXT').notNullable();
      t.text('CURR_CD').notNullable();
      t.text('METH_CD').notNullable();
      t.text('STAT_CD').notNullable().checkIn(['P', 'S', 'D']);
      t.text('CRT_TS').notNullable();
      t.text('UPD_TS').notNullable();
    });
    await knex.schema.createTable('PAY_RFND', (t) => {
      t.text('RFND_NO').primary();
      t.text('PAY_NO').notNullable().index('PAY_RFND_PAY');
      t.text('AMT_TXT').notNullable();
      t.text('STAT_CD').notNullable().checkIn(['P', 'S']);
      t.text('CRT_TS').notNullable();
      t.text('UPD_TS').notNullable();
    });
    await createIdempotencyTable(knex, 'PAY_IDEM');
    // The resolver looks for requests left under way; there are few of them at any time.
    const names = ['PAY_IDEM_OPEN', 'PAY_IDEM', 'LEASE_TS', 'STATE_CD'];
    await knex.raw("CREATE INDEX ?? ON ?? (??) WHERE ?? = 'I'", names);
  },
  async down(knex) {
    for (const table of ['PAY_IDEM', 'PAY_RFND', 'PAY_TXN']) await knex.schema.dropTable(table);
  },
};
