import type { SideName } from '../side.ts';
import { encodeRow, imageColumnsOf } from '../mapping/index.ts';
import type { Mapping } from '../mapping/index.ts';
import type { RowName } from '../side-database.ts';
import type { SqliteConnection } from './connection.ts';
import { feedTable, NOW_SQL } from './tables.ts';
import { bound, imageSql, name } from './values.ts';

/**
 * Writes rows of the owner into its feed again, as they are in this transaction, so that no change
 * of theirs can come between. @returns the last position; null when this side is not the owner
 */
export function requeue(
  connection: SqliteConnection,
  mapping: Mapping,
  side: SideName,
  rows: readonly RowName[],
): Promise<number | null> {
  const { capability } = mapping;
  const feed = name(feedTable(capability));
  return connection.transaction(() => {
    const state = connection
      .write(`SELECT state FROM fig_fence WHERE capability = ? AND key = '*'`)
      .pluck()
      .get(capability);
    if (state !== 'open') return null;
    for (const { table, key } of rows) {
      const image = imageSql('t', imageColumnsOf(mapping, side, table));
      const where = Object.keys(key).map((column) => `${name(column)} = ?`);
      const of = Object.values(key).map((value) => bound(value));
      connection
        .write(
          `INSERT INTO ${feed} (tx, tbl, key, op, image, epoch, at)
             SELECT tx, ?, ?, 'refresh',
               (SELECT ${image} FROM ${name(table)} t WHERE ${where.join(' AND ')}), epoch, ${NOW_SQL}
             FROM fig_clock JOIN fig_fence ON capability = ? AND fig_fence.key = '*' WHERE id = 1`,
        )
        .run(table, encodeRow(key), ...of, capability);
    }
    return connection.write(`SELECT max(position) FROM ${feed}`).pluck().get() as number;
  });
}
