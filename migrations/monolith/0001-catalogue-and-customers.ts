import type { Migration } from '../../chassis/index.ts';

export const catalogueAndCustomers: Migration = {
  name: '0001-catalogue-and-customers',
  async up(knex) {
    await knex.schema.createTable('CAT_PROD', (t) => {
      t.text('SKU_CD').primary();
      t.text('PROD_NM').notNullable();
      t.text('PRC_AMT').notNullable();
      t.text('CURR_CD').notNullable();
    });
    await knex.schema.createTable('CUS_MST', (t) => {
      t.text('CUST_NO').primary();
      t.text('CUST_NM').notNullable();
      t.text('CTRY').notNullable();
    });
  },
  async down(knex) {
    await knex.schema.dropTable('CUS_MST');
    await knex.schema.dropTable('CAT_PROD');
  },
};
