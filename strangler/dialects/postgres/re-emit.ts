import type { SideName } from '../../../routing/side.ts';
import { encodeRow, imageColumnsOf } from '../../mapping/index.ts';
import type { Mapping, SqlValue } from '../../mapping/index.ts';
import type { RowName } from '../../sides/side-database.ts';
import { columnsOf, dataOf, dataSql, sameSql } from './columns.ts';
import { stateSql } from './cohort-sql.ts';
import type { PostgresClient, PostgresConnection } from './connection.ts';
import { PASS_FUNCTION } from './functions.ts';
import type { Schemas } from './schema.ts';
import type { Sequencer } from './sequencer.ts';
import { lockTables, persistently } from './table-locks.ts';
import { captureTable } from './tables.ts';
import { imageSql, name } from './values.ts';

/** How long to wait for a fence that moves, and for others who give changes their positions, in ms. */
const LOCK_MS = 2_000;
/** The same for a row: whoever keeps it may be waiting for another that we keep (see `lockTables`). */
const ROW_LOCK_MS = 100;

interface FeedDatabase {
  readonly connection: PostgresConnection;
  readonly sequencer: Sequencer;
  readonly mapping: Mapping;
  readonly side: SideName;
  readonly schemas: Schemas;
}

/**
 * Writes rows of the owner into its feed again, as they are in this transaction, which locks them so
 * that no change of theirs can come between.
 * @returns the last position; null when this side is not the owner
 * @throws ConfigurationError that says who keeps the rows
 */
export function reEmit(of: FeedDatabase, rows: readonly RowName[]): Promise<number | null> {
  const { connection, mapping, sequencer } = of;
  const tables = [...new Set(rows.map((row) => row.table))];
  const failed = `rows of ${mapping.capability} could not be sent again`;
  return persistently(connection, tables, failed, () =>
    connection.transaction(
      async (client) => {
        await client.query(`SELECT state FROM ${PASS_FUNCTION}($1)`, [mapping.capability]);
        const { rowCount: open } = await client.query(
          `SELECT FROM fig_fence WHERE capability = $1 AND state = 'open' LIMIT 1`,
          [mapping.capability],
        );
        if (open === 0) return null;
        await client.query(`SET LOCAL lock_timeout = ${ROW_LOCK_MS}`);
        for (const table of tables) {
          const asked = rows.filter((row) => row.table === table);
          await reEmitIn(client, of, table, asked);
        }
        await client.query(`SET LOCAL lock_timeout = ${LOCK_MS}`);
        return sequencer.moveIn(client);
      },
      { lockMs: LOCK_MS },
    ),
  );
}

async function reEmitIn(
  client: PostgresClient,
  of: FeedDatabase,
  table: string,
  asked: readonly RowName[],
): Promise<void> {
  let rows = asked;
  let images = await imagesOf(client, of, table, rows);
  if (images.some((image) => image === undefined)) {
    // Somebody may be about to insert it: what is not there can't be locked by itself.
    await lockTables(client, [name(table)], 'SHARE');
    images = await imagesOf(client, of, table, rows);
  }
  // The other side has its say on rows of keys that it owns.
  rows = rows.filter((_, index) => images[index] !== NOT_OWNED);
  images = images.filter((image) => image !== NOT_OWNED);
  await client.query(
    `INSERT INTO ${name(captureTable(of.mapping.capability))} (tbl, key, op, image, epoch)
       SELECT $1, u.key, 'refresh', u.image,
         (SELECT epoch FROM fig_fence WHERE capability = $2 AND fig_fence.key = '*')
       FROM unnest($3::text[], $4::text[]) WITH ORDINALITY u (key, image, nr) ORDER BY nr`,
    [
      table,
      of.mapping.capability,
      rows.map(({ key }) => encodeRow(key)),
      images.map((image) => image ?? null),
    ],
  );
}

const NOT_OWNED = 'not owned';

async function imagesOf(
  client: PostgresClient,
  { schemas, mapping, side }: FeedDatabase,
  table: string,
  rows: readonly RowName[],
): Promise<(string | undefined)[]> {
  const images: (string | undefined)[] = rows.map(() => undefined);
  const keys = columnsOf(schemas, table, Object.keys(rows[0]?.key ?? {}));
  const image = imageSql('t', columnsOf(schemas, table, imageColumnsOf(mapping, side, table)));
  const column = mapping.cohortKey?.[side];
  const owned = column ? `${stateSql(mapping.capability, `t.${name(column)}`)} = 'open'` : null;
  const { rows: found } = await client.query<SqlValue[]>({
    text: `SELECT d.nr, ${owned === null ? image : `CASE WHEN ${owned} THEN ${image} ELSE '${NOT_OWNED}' END`} FROM (${dataSql(keys)}) d
             JOIN ${name(table)} t ON ${sameSql(keys, 't', 'd')} FOR NO KEY UPDATE OF t`,
    values: dataOf(
      keys,
      rows.map(({ key }) => key),
    ),
    rowMode: 'array',
  });
  for (const [nr, json] of found) images[Number(nr) - 1] = json as string;
  return images;
}
