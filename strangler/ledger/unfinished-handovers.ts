import { ConfigurationError } from '../../chassis/index.ts';
import type { SideName } from '../../routing/side.ts';

/** Two engines may both believe that they lead: the database lets one of them begin, whatever they do. */
export const UNFINISHED_INDEX =
  'CREATE UNIQUE INDEX IF NOT EXISTS fig_handover_unfinished ON fig_handover (capability) WHERE outcome IS NULL';

/** All unfinished handovers of a database, of every capability. */
export const UNFINISHED_SQL = `SELECT id, capability FROM fig_handover WHERE outcome IS NULL
  ORDER BY started_at, id`;

/**
 * Refuses a database in which an earlier build left more unfinished handovers than the index allows.
 * @throws ConfigurationError that names them
 */
export function refuseTwoUnfinished(
  side: SideName,
  unfinished: readonly { readonly id: string; readonly capability: string }[],
): void {
  for (const capability of new Set(unfinished.map((one) => one.capability))) {
    const ids = unfinished.filter((one) => one.capability === capability).map(({ id }) => id);
    if (ids.length < 2) continue;
    throw new ConfigurationError(
      `the ${side} database has ${ids.length} unfinished handovers of ${capability} (${ids.join(', ')}), and ` +
        'there may be at most one; let the version that began them finish them, then start this one. ' +
        'Nothing was changed.',
    );
  }
}
