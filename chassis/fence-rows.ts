import { knexFences, REST } from '../guard/index.ts';
import type { FenceState, NamedFence } from '../guard/index.ts';
import type { Database } from './database.ts';

export type { Fence, FenceState, NamedFence } from '../guard/index.ts';

/** All fences of a database, as they were a moment ago; none where no migration has touched it. */
export function readFences({ read }: Database): Promise<readonly NamedFence[]> {
  return knexFences(read);
}

/**
 * Puts the fence of a capability, or of one key of it, where no engine has installed its tables: a
 * service that runs apart from a migration, such as for its tests, owns its data by this.
 */
export async function setFence(
  database: Database,
  capability: string,
  state: FenceState,
  epoch = 1,
  key = REST,
): Promise<void> {
  await database.alone(async (trx) => {
    if (!(await trx.schema.hasTable('fig_fence'))) {
      await trx.schema.createTable('fig_fence', (t) => {
        t.text('capability').notNullable();
        t.text('key').notNullable();
        t.text('state').notNullable();
        t.integer('epoch').notNullable();
        t.primary(['capability', 'key']);
      });
    }
    await trx('fig_fence')
      .insert({ capability, key, state, epoch })
      .onConflict(['capability', 'key'])
      .merge();
  });
}
