import type { Migration } from '../../chassis/index.ts';

export const events: Migration = {
  name: '0005-events',
  async up(knex) {
    await knex.schema.createTable('EVT_OUTBOX', (t) => {
      t.increments('SEQ_NO');
      t.text('EVT_ID').notNullable().unique();
      t.text('EVT_TXT').notNullable();
      t.bigInteger('SENT_TS');
      t.text('CRT_TS').notNullable();
    });
    await knex.schema.createTable('EVT_INBOX', (t) => {
      t.text('SUBSCR_NM').notNullable();
      t.text('EVT_ID').notNullable();
      t.text('CRT_TS').notNullable().index('EVT_INBOX_CRT');
      t.primary(['SUBSCR_NM', 'EVT_ID']);
    });
    await knex.schema.createTable('SHP_HDR', (t) => {
      t.text('ORD_NO').primary();
      t.text('CUST_NO').notNullable();
      t.text('STAT_CD').notNullable().checkIn(['R', 'X']);
      t.text('CRT_TS').notNullable();
      t.text('UPD_TS').notNullable();
    });
    await knex.schema.createTable('NTF_MSG', (t) => {
      t.text('EVT_ID').primary();
      t.text('ORD_NO').notNullable();
      t.text('CUST_NO').notNullable();
      t.text('TMPL_CD').notNullable();
      t.text('CRT_TS').notNullable();
    });
  },
  async down(knex) {
    for (const table of ['NTF_MSG', 'SHP_HDR', 'EVT_INBOX', 'EVT_OUTBOX']) {
      await knex.schema.dropTable(table);
    }
  },
};
