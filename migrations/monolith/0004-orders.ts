import type { Migration } from '../../chassis/index.ts';
import { createIdempotencyTable } from './idempotency-table.ts';

export const orders: Migration = {
  name: '0004-orders',
  async up(knex) {
    await knex.schema.createTable('ORD_HDR', (t) => {
      t.text('ORD_NO').primary();
      t.text('CUST_NO').notNullable();
      t.text('STAT_CD').notNullable().checkIn(['P', 'C', 'R', 'D', 'X', 'Z']);
      t.text('TOT_AMT').notNullable();
      t.text('CURR_CD').notNullable();
      t.text('METH_CD').notNullable();
      t.text('PAY_NO');
      t.text('RSV_NO');
      t.text('CRT_TS').notNullable();
      t.text('UPD_TS').notNullable();
      t.index(['CUST_NO', 'ORD_NO'], 'ORD_HDR_CUST');
    });
    await knex.schema.createTable('ORD_LIN', (t) => {
      t.text('ORD_NO').notNullable().references('ORD_HDR.ORD_NO');
      t.integer('LIN_NO').notNullable();
      t.text('SKU_CD').notNullable();
      t.integer('QTY').notNullable();
      t.text('UNIT_AMT').notNullable();
      t.primary(['ORD_NO', 'LIN_NO']);
    });
    await knex.schema.createTable('ORD_SAGA', (t) => {
      t.text('SAGA_ID').primary();
      t.text('TYPE_CD').notNullable();
      t.text('STAT_CD').notNullable().checkIn(['F', 'B', 'C', 'X']);
      t.integer('STEP_NO').notNullable();
      t.text('DATA_TXT').notNullable();
      t.integer('FAIL_CNT').notNullable();
      t.text('WRK_ID').notNullable();
      t.bigInteger('LEASE_TS').notNullable();
      t.text('CRT_TS').notNullable();
      t.text('UPD_TS').notNullable();
    });
    const names = ['ORD_SAGA_OPEN', 'ORD_SAGA', 'TYPE_CD', 'LEASE_TS', 'STAT_CD'];
    await knex.raw("CREATE INDEX ?? ON ?? (??, ??) WHERE ?? IN ('F', 'B')", names);
    await createIdempotencyTable(knex, 'ORD_IDEM');
  },
  async down(knex) {
    for (const table of ['ORD_IDEM', 'ORD_SAGA', 'ORD_LIN', 'ORD_HDR']) {
      await knex.schema.dropTable(table);
    }
  },
};
