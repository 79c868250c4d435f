import type { SideName } from '../../../routing/side.ts';
import type { SqliteConnection } from './connection.ts';
import type { Prepare } from './schema.ts';
import { feedSchema, keepNewest } from './tables.ts';
import { TRIGGER_PURPOSES } from './triggers.ts';
import { name } from './values.ts';

/**
 * SQLite keeps what is made in the order of its making, also through VACUUM. So the trigger of the feed is
 * made again after those of the tables: whoever makes one of these again, to write past it or to build its
 * table anew, leaves it behind the feed's.
 */
export function seal(connection: SqliteConnection, capability: string): void {
  connection.execute(`DROP TRIGGER IF EXISTS ${name(keepNewest(capability))}`);
  for (const statement of feedSchema(capability)) connection.execute(statement);
}

/** Tables whose triggers somebody else has made again since, as one text each. */
export function brokenSeals(
  prepare: Prepare,
  capability: string,
  side: SideName,
): readonly string[] {
  const prefixes = TRIGGER_PURPOSES.map((purpose) => `fig_${capability}_${purpose}_`);
  const later = prepare(
    `SELECT name, tbl_name FROM sqlite_schema WHERE type = 'trigger' AND rowid >
       (SELECT rowid FROM sqlite_schema WHERE type = 'trigger' AND name = ?)`,
  )
    .raw()
    .all(keepNewest(capability)) as [trigger: string, table: string][];
  const tables = later
    .filter(([trigger]) => prefixes.some((prefix) => trigger.startsWith(prefix)))
    .map(([, table]) => table);
  return [...new Set(tables)].map(
    (table) =>
      `${side} table ${table} was rebuilt, or Fig's triggers were dropped and created again: ` +
      'what was written meanwhile was not captured',
  );
}
