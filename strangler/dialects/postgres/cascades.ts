import { dueCascades, refusedDelete } from '../../replication/cascades.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { Reference } from '../../check/reference.ts';
import type { SideName } from '../../../routing/side.ts';
import type { Change } from '../../ledger/store.ts';
import { columnsOf, dataOf, dataSql, sameSql } from './columns.ts';
import type { PostgresClient } from './connection.ts';
import { NO_LONGER_APPLYING } from './functions.ts';
import { canHold } from './row-reader.ts';
import type { Column, Schemas } from './schema.ts';
import { name } from './values.ts';

interface Applying {
  readonly client: PostgresClient;
  readonly mapping: Mapping;
  readonly side: SideName;
  readonly schemas: Schemas;
}

/**
 * Deletes the children of rows that changes have deleted, or takes their parent from them, as the declared
 * foreign keys say: one statement for each. To be the last write of a transaction to the business's tables.
 * @param changes of a whole slice, which were applied
 */
export async function applyCascades(
  { client, mapping, side, schemas }: Applying,
  changes: readonly Change[],
): Promise<void> {
  const references = (table: string): readonly Reference[] => schemas.get(table)?.references ?? [];
  const due = dueCascades(mapping, side, changes, Infinity, references);
  if (due.length === 0) return;
  // These rows belong to this database: its triggers must see the write.
  await client.query(NO_LONGER_APPLYING);
  for (const { reference, keys } of due) {
    const { parent, parentColumns } = reference;
    const held = keys.filter((key) => canHold(schemas, parent, key));
    if (held.length === 0) continue;
    const columns = columnsOf(schemas, parent, parentColumns);
    await client.query(cascadeSql(reference, columns), dataOf(columns, held));
  }
}

/**
 * Refuses deletes of rows that have children in tables that do not move, where the mapping says so.
 * @param changes that were written a moment ago, in this transaction
 * @throws MappingError, which says how many children there are
 */
export async function refuseOrphans(
  { client, mapping, side, schemas }: Applying,
  changes: readonly Change[],
): Promise<void> {
  const references = (table: string): readonly Reference[] => schemas.get(table)?.references ?? [];
  for (const { reference, keys } of dueCascades(
    mapping,
    side,
    changes,
    Infinity,
    references,
    'refuse',
  )) {
    const { parent, parentColumns, child } = reference;
    const held = keys.filter((key) => canHold(schemas, parent, key));
    if (held.length === 0) continue;
    const key = columnsOf(schemas, parent, parentColumns);
    const { rows } = await client.query<{ rows: string }>(
      `${goneSql(parent, key)} SELECT count(*) AS rows FROM ${name(child)} c, fig_gone g WHERE ${ofGone(reference, key)}`,
      dataOf(key, held),
    );
    const count = Number(rows[0]?.rows ?? 0);
    if (count > 0) throw refusedDelete(reference, count);
  }
}

/**
 * Which keys are gone is settled first: joined to the children, that question is taken by PostgreSQL
 * for one that hardly any child answers, since there is a foreign key, and all of them are read.
 */
function cascadeSql(reference: Reference, key: readonly Column[]): string {
  const { child, columns, parent, onDelete } = reference;
  const gone = goneSql(parent, key);
  const same = ofGone(reference, key);
  if (onDelete === 'SET NULL') {
    const set = columns.map((column) => `${name(column)} = NULL`).join(', ');
    return `${gone} UPDATE ${name(child)} c SET ${set} FROM fig_gone g WHERE ${same}`;
  }
  return `${gone} DELETE FROM ${name(child)} c USING fig_gone g WHERE ${same}`;
}

function goneSql(parent: string, key: readonly Column[]): string {
  return (
    `WITH fig_gone AS MATERIALIZED (SELECT d.* FROM (${dataSql(key)}) d ` +
    `WHERE NOT EXISTS (SELECT FROM ${name(parent)} p WHERE ${sameSql(key, 'p', 'd')}))`
  );
}

/** A child `c` of a row that is gone, `g`. */
function ofGone({ columns }: Reference, key: readonly Column[]): string {
  return columns
    .map((column, index) => `c.${name(column)} = g.${name(key[index]?.name ?? '')}`)
    .join(' AND ');
}
