import { carriedOutOf, deletedKeys, tablesWithCarriedOut } from '../carried-out.ts';
import type { Mapping } from '../mapping/index.ts';
import type { Reference } from '../reference.ts';
import type { SideName } from '../side.ts';
import type { Change } from '../store.ts';
import { columnsOf, dataOf, dataSql, sameSql } from './columns.ts';
import type { PostgresClient } from './connection.ts';
import { NO_LONGER_APPLYING } from './functions.ts';
import { canHold } from './row-reader.ts';
import type { Column, Schemas } from './schema.ts';
import { name } from './values.ts';

interface Of {
  readonly client: PostgresClient;
  readonly mapping: Mapping;
  readonly side: SideName;
  readonly schemas: Schemas;
}

/**
 * Deletes the children of rows that changes have deleted, or takes their parent from them, as the
 * declared foreign keys say: one statement for each. Rows that are there after all keep theirs. To be
 * the last thing that a transaction writes of the business's.
 * @param isApplied whether a change was applied: not parked, nor still to come
 */
export async function carryOut(
  { client, mapping, side, schemas }: Of,
  changes: readonly Change[],
  isApplied: (change: Change) => boolean,
): Promise<void> {
  for (const table of tablesWithCarriedOut(mapping, side)) {
    const keys = deletedKeys(mapping, side, table, changes, isApplied).filter((key) =>
      canHold(schemas, table, key),
    );
    if (keys.length === 0) continue;
    // What does not move is nobody's to apply: whoever else captures it has to see this.
    await client.query(NO_LONGER_APPLYING);
    const references = schemas.get(table)?.references ?? [];
    for (const reference of carriedOutOf(mapping, side, table, references)) {
      const columns = columnsOf(schemas, table, reference.parentColumns);
      await client.query(carryOutSql(reference, columns), dataOf(columns, keys));
    }
  }
}

/**
 * Which keys are gone is settled first: joined to the children, that question is taken by PostgreSQL
 * for one that hardly any child answers, since there is a foreign key, and all of them are read.
 */
function carryOutSql(
  { child, columns, parent, onDelete }: Reference,
  key: readonly Column[],
): string {
  const gone =
    `WITH fig_gone AS MATERIALIZED (SELECT d.* FROM (${dataSql(key)}) d ` +
    `WHERE NOT EXISTS (SELECT FROM ${name(parent)} p WHERE ${sameSql(key, 'p', 'd')}))`;
  const same = columns
    .map((column, index) => `c.${name(column)} = g.${name(key[index]?.name ?? '')}`)
    .join(' AND ');
  if (onDelete === 'SET NULL') {
    const set = columns.map((column) => `${name(column)} = NULL`).join(', ');
    return `${gone} UPDATE ${name(child)} c SET ${set} FROM fig_gone g WHERE ${same}`;
  }
  return `${gone} DELETE FROM ${name(child)} c USING fig_gone g WHERE ${same}`;
}
