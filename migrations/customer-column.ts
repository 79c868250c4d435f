import type { Knex, Migration } from '../chassis/index.ts';

interface CustomerColumn {
  readonly table: string;
  readonly column: string;
  /** SQL for the customer of a row that was there before; NULL where nobody can tell. */
  readonly customerOf: string;
}

interface CustomerColumnsOptions {
  readonly name: string;
  readonly capability: string;
  readonly columns: readonly CustomerColumn[];
}

/**
 * Says in each row of a capability whose it is: customers may move one before the other, and a fence
 * that is asked for a row has nothing but the row to tell by. Rows of nobody follow the rest.
 */
export function customerColumns({ name, capability, columns }: CustomerColumnsOptions): Migration {
  return {
    name,
    async up(knex) {
      const owner = await isOwner(knex, capability);
      for (const { table, column, customerOf } of columns) {
        // `fig complete` has renamed it: nobody writes there any more.
        if (!(await knex.schema.hasTable(table))) continue;
        await knex.schema.alterTable(table, (t) => {
          t.text(column).notNullable().defaultTo('');
        });
        // The other side's rows are the owner's to change, and come over again with the new mapping.
        if (!owner) continue;
        await knex.raw(`UPDATE ?? SET ?? = coalesce(${customerOf}, '')`, [table, column]);
      }
    },
    async down(knex) {
      for (const { table, column } of columns) {
        if (!(await knex.schema.hasTable(table))) continue;
        // In place: knex would copy the table, which takes the triggers away that are on it.
        await knex.raw('ALTER TABLE ?? DROP COLUMN ??', [table, column]);
      }
    },
  };
}

async function isOwner(knex: Knex, capability: string): Promise<boolean> {
  if (!(await knex.schema.hasTable('fig_fence'))) return true;
  const fence = (await knex('fig_fence').where({ capability, key: '*' }).first('state')) as
    { state: string } | undefined;
  return fence === undefined || fence.state === 'open';
}
