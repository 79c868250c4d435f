import type { SideName } from '../../../routing/side.ts';
import { encodeRow, imageColumnsOf } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { RowName } from '../../sides/side-database.ts';
import { stateSql } from './cohort-sql.ts';
import type { SqliteConnection } from './connection.ts';
import { freeColumns } from './schema.ts';
import { feedTable, NOW_SQL } from './tables.ts';
import { bound, imageSql, name } from './values.ts';

/**
 * Writes rows of the owner into its feed again, as they are in this transaction, so that no change
 * of theirs can come between; rows of keys that this side does not own are left out. @returns the last position; null when this side is not the owner
 */
export function reEmit(
  connection: SqliteConnection,
  mapping: Mapping,
  side: SideName,
  rows: readonly RowName[],
): Promise<number | null> {
  const { capability } = mapping;
  const feed = name(feedTable(capability));
  const cohort = mapping.cohortKey?.[side];
  return connection.transaction(() => {
    const open = connection
      .write(`SELECT 1 FROM fig_fence WHERE capability = ? AND state = 'open' LIMIT 1`)
      .get(capability);
    if (open === undefined) return null;
    for (const { table, key } of rows) {
      const free = freeColumns((sql) => connection.write(sql), table);
      const image = imageSql('t', imageColumnsOf(mapping, side, table), free);
      const where = Object.keys(key).map((column) => `${name(column)} = ?`);
      const row = `FROM ${name(table)} t WHERE ${where.join(' AND ')}`;
      const of = Object.values(key).map((value) => bound(value));
      connection
        .write(
          `INSERT INTO ${feed} (tx, tbl, key, op, image, epoch, at)
             SELECT tx, ?, ?, 'refresh',
               (SELECT ${image} ${row}), epoch, ${NOW_SQL}
             FROM fig_clock JOIN fig_fence ON capability = ? AND fig_fence.key = '*' WHERE id = 1
               ${cohort ? `AND NOT EXISTS (SELECT 1 ${row} AND ${stateSql(capability, `t.${name(cohort)}`)} IS NOT 'open')` : ''}`,
        )
        .run(table, encodeRow(key), ...of, capability, ...(cohort ? of : []));
    }
    return connection.write(`SELECT max(position) FROM ${feed}`).pluck().get() as number;
  });
}
