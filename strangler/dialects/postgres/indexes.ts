import type { SideName } from '../../../routing/side.ts';
import { tablesOf } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { PostgresConnection } from './connection.ts';
import { marking } from './marks.ts';
import { orderIndexes } from './key-order.ts';
import type { Schemas } from './schema.ts';
import { persistently } from './table-locks.ts';
import { ourName } from './tables.ts';
import { name } from './values.ts';

/** They are made beside the writers, who then wait for nothing. */
const LOCK_MS = 60_000;

interface WantedIndex {
  readonly index: string;
  readonly sql: string;
}

/** The indexes that are missing, with what makes them. */
export function indexStatements(
  schemas: Schemas,
  mapping: Mapping,
  side: SideName,
): readonly WantedIndex[] {
  return orderIndexes(schemas, mapping, side).map(({ table, columns, expressions }) => {
    const index = ourName(mapping.capability, 'order', table, ...columns);
    const over = expressions.join(', ');
    return { index, sql: `CREATE INDEX CONCURRENTLY ${name(index)} ON ${name(table)} (${over})` };
  });
}

/** Makes the indexes by which rows are read in the order of keys, beside those who write. */
export async function createIndexes(
  connection: PostgresConnection,
  mapping: Mapping,
  side: SideName,
  schemas: Schemas,
): Promise<void> {
  const wanted = indexStatements(schemas, mapping, side);
  for (const { index, sql } of wanted) {
    const failed = `the index ${index} could not be made`;
    await persistently(connection, tablesOf(mapping, side), failed, () =>
      connection.alone(LOCK_MS, async (client) => {
        // One that was cut off is there, but of no use.
        await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name(index)}`);
        await client.query(sql);
        await client.query(marking('INDEX', name(index), mapping.capability));
      }),
    );
  }
}
