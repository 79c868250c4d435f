import type { Knex } from '../../chassis/index.ts';

/** The monolith's table of idempotency keys; each module that takes writes has one of its own. */
export async function createIdempotencyTable(knex: Knex, table: string): Promise<void> {
  await knex.schema.createTable(table, (t) => {
    t.text('IDEM_KEY').primary();
    t.text('REQ_HASH').notNullable();
    t.text('STATE_CD').notNullable().checkIn(['I', 'D']);
    t.text('ATT_ID').notNullable();
    t.bigInteger('LEASE_TS');
    t.text('RES_ID');
    t.integer('HTTP_STAT');
    t.text('RESP_TXT');
    t.text('CRT_TS').notNullable().index(`${table}_CRT`);
  });
}
