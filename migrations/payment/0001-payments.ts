import type { Migration } from '../../chassis/index.ts';

/**
 * A payment never changes; what happens to it is appended as entries, which its status and the
 * amount paid back are derived from. A payment without a `settlement` is one whose outcome the
 * provider has not told yet. No foreign key: rows that arrive from the other side of a migration
 * arrive table by table.
 */
export const payments: Migration = {
  name: '0001-payments',
  async up(knex) {
    await knex.schema.createTable('payments', (t) => {
      t.text('id').primary();
      t.text('order_id').notNullable();
      t.text('customer_id').notNullable();
      t.bigInteger('amount_minor').notNullable();
      t.text('currency').notNullable();
      t.text('method').notNullable();
      t.bigInteger('created_at').notNullable();
      t.index(['order_id', 'id'], 'payments_order');
    });
    await knex.schema.createTable('payment_entries', (t) => {
      t.text('payment_id').notNullable();
      t.text('entry_id').notNullable();
      t.text('kind')
        .notNullable()
        .checkIn(['captured', 'declined', 'refund_requested', 'refunded']);
      t.bigInteger('amount_minor').notNullable();
      t.bigInteger('at').notNullable();
      t.primary(['payment_id', 'entry_id']);
      t.index(['entry_id'], 'payment_entries_entry');
    });
  },
  async down(knex) {
    await knex.schema.dropTable('payment_entries');
    await knex.schema.dropTable('payments');
  },
};
