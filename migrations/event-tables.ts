import type { Knex } from '../chassis/index.ts';

/** Of a database that publishes events. Rows of no capability: they stay when its data moves. */
export async function createOutboxTables(knex: Knex): Promise<void> {
  await knex.schema.createTable('event_outbox', (t) => {
    t.increments('sequence');
    t.text('id').notNullable().unique();
    t.text('stream').notNullable();
    t.text('type').notNullable();
    t.text('event').notNullable();
    t.bigInteger('created_at').notNullable();
    t.index(['stream', 'sequence'], 'event_outbox_stream');
  });
  await knex.schema.createTable('event_deliveries', (t) => {
    t.text('subscriber').notNullable();
    t.integer('sequence').notNullable().references('event_outbox.sequence');
    t.text('stream').notNullable();
    t.bigInteger('sent_at');
    t.primary(['subscriber', 'sequence']);
    t.index(['subscriber', 'stream', 'sequence'], 'event_deliveries_stream');
    t.index(['sent_at', 'sequence'], 'event_deliveries_due');
    t.index(['sequence'], 'event_deliveries_sequence');
  });
}

export async function dropOutboxTables(knex: Knex): Promise<void> {
  for (const table of ['event_deliveries', 'event_outbox']) await knex.schema.dropTable(table);
}

/** Of a database that subscribers write to. */
export async function createInboxTables(knex: Knex): Promise<void> {
  await knex.schema.createTable('event_inbox', (t) => {
    t.text('subscriber').notNullable();
    t.text('event_id').notNullable();
    t.bigInteger('received_at').notNullable().index('event_inbox_received_at');
    t.primary(['subscriber', 'event_id']);
  });
  await knex.schema.createTable('event_positions', (t) => {
    t.text('subscriber').notNullable();
    t.text('stream').notNullable();
    t.bigInteger('epoch').notNullable();
    t.bigInteger('sequence').notNullable();
    t.primary(['subscriber', 'stream']);
  });
  await knex.schema.createTable('event_failures', (t) => {
    t.text('subscriber').notNullable();
    t.text('event_id').notNullable();
    t.text('event').notNullable();
    t.integer('attempts').notNullable();
    t.text('reason').notNullable();
    t.bigInteger('dead_at');
    t.primary(['subscriber', 'event_id']);
  });
}

export async function dropInboxTables(knex: Knex): Promise<void> {
  for (const table of ['event_failures', 'event_positions', 'event_inbox']) {
    await knex.schema.dropTable(table);
  }
}
