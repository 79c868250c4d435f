import type { Knex } from '../chassis/index.ts';

/** A service's idempotency keys. Rows of the capability: they move with its data. */
export async function createRequestKeys(knex: Knex): Promise<void> {
  await knex.schema.createTable('request_keys', (t) => {
    t.text('key').primary();
    t.text('request_hash').notNullable();
    t.text('state').notNullable().checkIn(['in_flight', 'done']);
    t.text('attempt_id').notNullable();
    t.bigInteger('lease_until');
    t.text('resource_id');
    t.integer('response_status');
    t.text('response_body');
    t.bigInteger('created_at').notNullable().index('request_keys_created_at');
  });
}
