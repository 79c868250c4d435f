import type { Migration } from '../../chassis/index.ts';

/**
 * What is on hand and what of it is held are two tables: counting goods and promising them are
 * different jobs. No rule and no foreign key spans tables here, since rows that arrive from the
 * other side of a migration arrive table by table.
 */
export const stock: Migration = {
  name: '0001-stock',
  async up(knex) {
    await knex.schema.createTable('stock_levels', (t) => {
      t.text('sku').primary();
      t.integer('on_hand').notNullable();
      t.bigInteger('updated_at').notNullable();
      t.check('?? >= 0', ['on_hand']);
    });
    await knex.schema.createTable('stock_holds', (t) => {
      t.text('sku').primary();
      t.integer('reserved').notNullable();
      t.check('?? >= 0', ['reserved']);
    });
    await knex.schema.createTable('stock_adjustments', (t) => {
      t.text('id').primary();
      t.text('sku').notNullable();
      t.integer('delta').notNullable();
      t.text('reason').notNullable();
      t.bigInteger('created_at').notNullable();
    });
  },
  async down(knex) {
    for (const table of ['stock_adjustments', 'stock_holds', 'stock_levels']) {
      await knex.schema.dropTable(table);
    }
  },
};
