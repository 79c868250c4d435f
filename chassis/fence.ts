import { fenceIn, knexGuard, REST } from '../guard/index.ts';
import type { GuardOptions, KnexGuard } from '../guard/index.ts';
import type { Database, Knex } from './database.ts';
import { readFences } from './fence-rows.ts';

export { FencedError, isFenceTrigger } from '../guard/index.ts';

/**
 * Guards the writes of a capability. `key` names whose rows a write changes, where single keys may have
 * moved: a key without a fence of its own has the fence of the capability.
 */
export interface FenceGuard extends Omit<KnexGuard, 'transaction'> {
  /** Whether this database owned it a moment ago; a hint, never a permission. */
  looksOpen(database: Database, key?: string): Promise<boolean>;
  /**
   * Narrows a query to rows that this database owned a moment ago; a hint, never a permission.
   * @param column of the query's table: whose a row is
   */
  openHere(connection: Knex, column: string): Promise<(query: Knex.QueryBuilder) => void>;
}

/** Guards the business writes of one capability in one database. */
export function createFenceGuard(options: GuardOptions): FenceGuard {
  const { capability, whenAbsent } = options;
  const { assertOpen, through, epoch } = knexGuard(options);
  return {
    capability,
    assertOpen,
    through,
    epoch,
    async looksOpen(database, key) {
      const fences = await readFences(database);
      const own = fences.filter((fence) => fence.capability === capability);
      return (fenceIn(own, key)?.state ?? whenAbsent) === 'open';
    },
    async openHere(connection, column) {
      if (!(await connection.schema.hasTable('fig_fence'))) {
        return (query) => void query.whereRaw(whenAbsent === 'open' ? '1 = 1' : '1 = 0');
      }
      const state = '(SELECT f.state FROM fig_fence f WHERE f.capability = ? AND f.key =';
      const values = [capability, column, capability, REST, whenAbsent];
      return (query) =>
        void query.whereRaw(`coalesce(${state} ??), ${state} ?), ?) = 'open'`, values);
    },
  };
}
