import type { Migration } from '../../chassis/index.ts';

export const ledger: Migration = {
  name: '0001-ledger',
  async up(knex) {
    await knex.schema.createTable('charges', (t) => {
      t.text('payment_id').primary();
      t.text('reference').notNullable();
      t.text('method').notNullable();
      t.text('currency').notNullable();
      t.bigInteger('amount').notNullable();
      t.text('status').notNullable().checkIn(['captured', 'declined']);
      // Counts every arrival of this charge: a client that charges blindly shows here.
      t.integer('requests').notNullable();
      t.bigInteger('created_at').notNullable();
    });
    await knex.schema.createTable('refunds', (t) => {
      t.text('refund_id').primary();
      t.text('payment_id').notNullable().references('charges.payment_id').index('refunds_payment');
      t.bigInteger('amount').notNullable();
      t.integer('requests').notNullable();
      t.bigInteger('created_at').notNullable();
    });
  },
  async down(knex) {
    await knex.schema.dropTable('refunds');
    await knex.schema.dropTable('charges');
  },
};
