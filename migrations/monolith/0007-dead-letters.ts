import type { Migration } from '../../chassis/index.ts';

const SAGA_COLUMNS = ['PERM_CNT', 'STCK_RSN', 'STCK_TS'];

/** Where it is kept what was given up: events that a subscriber can't take, orders that are stuck. */
export const deadLetters: Migration = {
  name: '0007-dead-letters',
  async up(knex) {
    await knex.schema.createTable('EVT_FAIL', (t) => {
      t.text('SUBSCR_NM').notNullable();
      t.text('EVT_ID').notNullable();
      t.integer('FAIL_CNT').notNullable();
      t.text('RSN_TXT').notNullable();
      t.bigInteger('DEAD_TS');
      t.primary(['SUBSCR_NM', 'EVT_ID']);
    });
    await knex.schema.alterTable('ORD_SAGA', (t) => {
      t.integer('PERM_CNT').notNullable().defaultTo(0);
      t.text('STCK_RSN');
      t.bigInteger('STCK_TS');
    });
    // Of all orders there ever were, the few that are looked for.
    const names = ['ORD_SAGA_STCK', 'ORD_SAGA', 'STCK_TS', 'STCK_TS'];
    await knex.raw('CREATE INDEX ?? ON ?? (??) WHERE ?? IS NOT NULL', names);
  },
  async down(knex) {
    await knex.raw('DROP INDEX ??', ['ORD_SAGA_STCK']);
    for (const column of SAGA_COLUMNS) {
      await knex.raw('ALTER TABLE ?? DROP COLUMN ??', ['ORD_SAGA', column]);
    }
    await knex.schema.dropTable('EVT_FAIL');
  },
};
