import type { Migration } from '../../chassis/index.ts';

/** When the goods of an order left the house. */
export const shipped: Migration = {
  name: '0012-shipped',
  async up(knex) {
    await knex.schema.alterTable('SHP_HDR', (t) => {
      t.text('SHIP_TS');
    });
    // Of all shipments there ever were, the few that still have to leave.
    const names = ['SHP_HDR_OPEN', 'SHP_HDR', 'CRT_TS', 'STAT_CD', 'SHIP_TS'];
    await knex.raw("CREATE INDEX ?? ON ?? (??) WHERE ?? = 'R' AND ?? IS NULL", names);
  },
  async down(knex) {
    await knex.raw('DROP INDEX ??', ['SHP_HDR_OPEN']);
    await knex.raw('ALTER TABLE ?? DROP COLUMN ??', ['SHP_HDR', 'SHIP_TS']);
  },
};
