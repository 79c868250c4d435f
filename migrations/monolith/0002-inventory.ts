import type { Migration } from '../../chassis/index.ts';
import { createIdempotencyTable } from './idempotency-table.ts';

export const inventory: Migration = {
  name: '0002-inventory',
  async up(knex) {
    await knex.schema.createTable('INV_STOCK', (t) => {
      t.text('SKU_CD').primary();
      t.integer('QTY_OH').notNullable();
      t.integer('QTY_RSV').notNullable();
      t.text('UPD_TS').notNullable();
      t.check('?? >= 0', ['QTY_OH']);
      t.check('?? >= 0', ['QTY_RSV']);
      t.check('?? <= ??', ['QTY_RSV', 'QTY_OH']);
    });
    await knex.schema.createTable('INV_RSV', (t) => {
      t.text('RSV_NO').primary();
      t.text('ORD_NO').notNullable().unique();
      t.text('STAT_CD').notNullable().checkIn(['A', 'C', 'R']);
      t.text('CRT_TS').notNullable();
      t.text('UPD_TS').notNullable();
    });
    await knex.schema.createTable('INV_RSV_LIN', (t) => {
      t.text('RSV_NO').notNullable();
      t.text('SKU_CD').notNullable();
      t.integer('QTY').notNullable();
      t.primary(['RSV_NO', 'SKU_CD']);
    });
    await knex.schema.createTable('INV_ADJ', (t) => {
      t.text('ADJ_NO').primary();
      t.text('SKU_CD').notNullable();
      t.integer('DLT_QTY').notNullable();
      t.text('RSN_TXT').notNullable();
      t.text('CRT_TS').notNullable();
    });
    await createIdempotencyTable(knex, 'INV_IDEM');
  },
  async down(knex) {
    for (const table of ['INV_IDEM', 'INV_ADJ', 'INV_RSV_LIN', 'INV_RSV', 'INV_STOCK']) {
      await knex.schema.dropTable(table);
    }
  },
};
