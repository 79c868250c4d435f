import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, openDatabase } from '../../chassis/index.ts';
import type { Database, FenceState, Migration } from '../../chassis/index.ts';

/** A database with this schema in a temporary folder; closing it deletes the folder. */
export async function temporaryDatabase(migrations: readonly Migration[] = []): Promise<Database> {
  const folder = await mkdtemp(join(tmpdir(), 'fig-'));
  const database = openDatabase(`file:${join(folder, 'test.db')}`);
  await migrate(database, migrations);
  return {
    ...database,
    close: async () => {
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Puts a capability's fence, as an engine would, where none has installed its tables. */
export async function setFence(
  database: Database,
  capability: string,
  state: FenceState,
  epoch = 1,
): Promise<void> {
  await database.transaction(async (trx) => {
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
      .insert({ capability, key: '*', state, epoch })
      .onConflict(['capability', 'key'])
      .merge();
  });
}
