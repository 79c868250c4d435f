import type { Migration } from '../../chassis/index.ts';

const SAGA_COLUMNS = ['VER_NO', 'UNK_FLG', 'ATT_NO', 'INT_TS', 'FAIL_TS'];

/** The version that a saga began with, the intent to take its present step, and what has become of its steps. */
export const sagas: Migration = {
  name: '0010-sagas',
  async up(knex) {
    await knex.schema.alterTable('ORD_SAGA', (t) => {
      t.integer('VER_NO').notNullable().defaultTo(1);
      t.integer('UNK_FLG').notNullable().defaultTo(0);
      t.integer('ATT_NO').notNullable().defaultTo(1);
      t.bigInteger('INT_TS');
      t.bigInteger('FAIL_TS');
    });
    await knex.schema.createTable('ORD_SAGA_LOG', (t) => {
      t.text('SAGA_ID').notNullable();
      t.integer('SEQ_NO').notNullable();
      t.text('STEP_NM').notNullable();
      t.text('DIR_CD').notNullable().checkIn(['F', 'B']);
      t.text('RES_TXT').notNullable();
      t.text('RSN_TXT');
      t.integer('ATT_NO').notNullable();
      t.integer('CNT').notNullable();
      t.bigInteger('BEG_TS').notNullable();
      t.bigInteger('END_TS').notNullable();
      t.primary(['SAGA_ID', 'SEQ_NO']);
    });
  },
  async down(knex) {
    await knex.schema.dropTable('ORD_SAGA_LOG');
    for (const column of SAGA_COLUMNS) {
      await knex.raw('ALTER TABLE ?? DROP COLUMN ??', ['ORD_SAGA', column]);
    }
  },
};
