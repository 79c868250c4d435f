import type { Migration } from '../../chassis/index.ts';
import { createInboxTables, dropInboxTables } from '../event-tables.ts';

/** What customers are told, and what this service has received. */
export const messages: Migration = {
  name: '0001-messages',
  async up(knex) {
    await knex.schema.createTable('messages', (t) => {
      t.text('id').primary();
      t.text('order_id').notNullable().index('messages_order_id');
      t.text('customer_id').notNullable();
      t.text('template').notNullable();
      t.text('state').notNullable().checkIn(['recorded', 'waiting', 'sent', 'refused']);
      t.integer('attempts').notNullable();
      t.bigInteger('next_attempt_at').notNullable();
      t.text('reason');
      t.bigInteger('created_at').notNullable();
      t.bigInteger('ended_at');
      t.index(['state', 'next_attempt_at'], 'messages_due');
    });
    await createInboxTables(knex);
  },
  async down(knex) {
    await dropInboxTables(knex);
    await knex.schema.dropTable('messages');
  },
};
