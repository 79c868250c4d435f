import type { Knex, Migration } from '../../chassis/index.ts';
import { createInboxTables, dropInboxTables } from '../event-tables.ts';

/** By which event a row is as it is: an older one changes nothing. */
function placeColumns(t: Knex.CreateTableBuilder): void {
  t.bigInteger('epoch').notNullable();
  t.bigInteger('sequence').notNullable();
}

/**
 * What is read of orders. Each row belongs to a generation of its projection: one is shown while the next one is built
 * beside it.
 */
export const orders: Migration = {
  name: '0001-orders',
  async up(knex) {
    await knex.schema.createTable('projections', (t) => {
      t.text('name').primary();
      t.integer('live').notNullable();
      t.integer('building');
      t.bigInteger('started_at');
      t.bigInteger('finished_at');
      t.text('trouble');
    });
    await knex.schema.createTable('replay_cursors', (t) => {
      t.text('projection').notNullable();
      t.text('archive').notNullable();
      t.bigInteger('position').notNullable();
      t.bigInteger('head').notNullable();
      t.primary(['projection', 'archive']);
    });
    await knex.schema.createTable('order_rows', (t) => {
      t.integer('generation').notNullable();
      t.text('order_id').notNullable();
      t.text('customer_id').notNullable();
      t.text('status').notNullable();
      t.text('items').notNullable();
      t.bigInteger('total').notNullable();
      t.text('currency').notNullable();
      t.text('payment_id');
      t.bigInteger('created_at').notNullable();
      t.bigInteger('updated_at').notNullable();
      placeColumns(t);
      t.primary(['generation', 'order_id']);
      t.index(['generation', 'customer_id', 'created_at', 'order_id'], 'order_rows_customer');
      t.index(['generation', 'created_at', 'order_id'], 'order_rows_created_at');
      t.index(['generation', 'total', 'order_id'], 'order_rows_total');
    });
    await knex.schema.createTable('payment_rows', (t) => {
      t.integer('generation').notNullable();
      t.text('payment_id').notNullable();
      t.text('status').notNullable();
      t.bigInteger('amount').notNullable();
      t.bigInteger('refunded_amount').notNullable();
      placeColumns(t);
      t.primary(['generation', 'payment_id']);
    });
    await knex.schema.createTable('shipment_rows', (t) => {
      t.integer('generation').notNullable();
      t.text('order_id').notNullable();
      t.bigInteger('shipped_at').notNullable();
      placeColumns(t);
      t.primary(['generation', 'order_id']);
    });
    await knex.schema.createTable('source_rows', (t) => {
      t.integer('generation').notNullable();
      t.text('source').notNullable();
      placeColumns(t);
      t.primary(['generation', 'source']);
    });
    await createInboxTables(knex);
  },
  async down(knex) {
    await dropInboxTables(knex);
    for (const table of [
      'source_rows',
      'shipment_rows',
      'payment_rows',
      'order_rows',
      'replay_cursors',
      'projections',
    ]) {
      await knex.schema.dropTable(table);
    }
  },
};
