import type { Migration } from '../../chassis/index.ts';

/** Since when a step of an order fails for good: it is given up after a number of times and a time. */
export const refusedSince: Migration = {
  name: '0008-refused-since',
  async up(knex) {
    await knex.schema.alterTable('ORD_SAGA', (t) => {
      t.bigInteger('PERM_TS');
    });
  },
  async down(knex) {
    await knex.raw('ALTER TABLE ?? DROP COLUMN ??', ['ORD_SAGA', 'PERM_TS']);
  },
};
