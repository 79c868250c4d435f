import { decodeValues, encodeValues, toAscii } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { BackfillState } from '../../side-database.ts';
import type { PostgresClient } from './connection.ts';

const COLUMNS = `pair, cursor, rows, total, done, ready_position AS "readyPosition",
  started_at AS "startedAt", at`;

type Stored = Omit<BackfillState, 'cursor'> & { cursor: string | null };

/** What has been copied, in the order in which it is. */
export async function readBackfills(
  client: PostgresClient,
  { capability, pairs }: Mapping,
): Promise<readonly BackfillState[]> {
  const { rows } = await client.query<Stored>(
    `SELECT ${COLUMNS} FROM fig_backfill WHERE capability = $1`,
    [capability],
  );
  const states = rows.map((stored) => ({
    ...stored,
    cursor: stored.cursor === null ? null : decodeValues(stored.cursor),
  }));
  return pairs
    .map(({ name }) => states.find(({ pair }) => pair === name))
    .filter((state) => state !== undefined);
}

export async function writeBackfill(
  client: PostgresClient,
  capability: string,
  state: BackfillState,
): Promise<void> {
  const { pair, cursor, rows, total, done, readyPosition, startedAt, at } = state;
  await client.query(
    `INSERT INTO fig_backfill (capability, pair, cursor, rows, total, done, ready_position,
         started_at, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       ON CONFLICT (capability, pair) DO UPDATE SET cursor = excluded.cursor, rows = excluded.rows,
         total = excluded.total, done = excluded.done,
         ready_position = excluded.ready_position, at = excluded.at`,
    [
      capability,
      pair,
      cursor === null ? null : toAscii(encodeValues(cursor)),
      rows,
      total,
      done,
      readyPosition,
      startedAt,
      at,
    ],
  );
}

export async function readCopyLimit(
  client: PostgresClient,
  capability: string,
): Promise<number | null> {
  const { rows } = await client.query<{ limit: number }>(
    'SELECT rows_per_second AS "limit" FROM fig_copy_limit WHERE capability = $1',
    [capability],
  );
  return rows[0]?.limit ?? null;
}

export async function writeCopyLimit(
  client: PostgresClient,
  capability: string,
  limit: number | null,
): Promise<void> {
  await client.query('DELETE FROM fig_copy_limit WHERE capability = $1', [capability]);
  if (limit === null) return;
  await client.query('INSERT INTO fig_copy_limit VALUES ($1, $2)', [capability, limit]);
}
