import { carriedOutOf, deletedKeys, tablesWithCarriedOut } from '../carried-out.ts';
import type { Mapping } from '../mapping/index.ts';
import type { Reference } from '../reference.ts';
import type { SideName } from '../side.ts';
import type { Change } from '../store.ts';
import { columnsOf, dataOf, dataSql } from './columns.ts';
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
 * @param parked positions of changes that could not be applied
 */
export async function carryOut(
  { client, mapping, side, schemas }: Of,
  changes: readonly Change[],
  parked: ReadonlySet<number>,
): Promise<void> {
  for (const table of tablesWithCarriedOut(mapping, side)) {
    const keys = deletedKeys(mapping, side, table, changes, parked).filter((key) =>
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

function carryOutSql(
  { child, columns, parent, onDelete }: Reference,
  key: readonly Column[],
): string {
  const pairs = columns.map((column, i) => [name(column), name(key[i]?.name ?? '')] as const);
  const where =
    `${pairs.map(([own, theirs]) => `c.${own} = d.${theirs}`).join(' AND ')} AND NOT EXISTS ` +
    `(SELECT FROM ${name(parent)} p WHERE ${pairs.map(([own, theirs]) => `p.${theirs} = c.${own}`).join(' AND ')})`;
  if (onDelete === 'SET NULL') {
    const set = pairs.map(([own]) => `${own} = NULL`).join(', ');
    return `UPDATE ${name(child)} c SET ${set} FROM (${dataSql(key)}) d WHERE ${where}`;
  }
  return `DELETE FROM ${name(child)} c USING (${dataSql(key)}) d WHERE ${where}`;
}
