import type { Migration } from '../../chassis/index.ts';

export const reservations: Migration = {
  name: '0002-reservations',
  async up(knex) {
    await knex.schema.createTable('reservations', (t) => {
      t.text('id').primary();
      t.text('order_id').notNullable().unique();
      t.text('status').notNullable().checkIn(['active', 'committed', 'released']);
      t.bigInteger('created_at').notNullable();
      t.bigInteger('updated_at').notNullable();
    });
    await knex.schema.createTable('reservation_items', (t) => {
      t.text('reservation_id').notNullable();
      t.text('sku').notNullable();
      t.integer('quantity').notNullable();
      t.primary(['reservation_id', 'sku']);
    });
  },
  async down(knex) {
    await knex.schema.dropTable('reservation_items');
    await knex.schema.dropTable('reservations');
  },
};
