import { decodeValues, encodeValues } from '../mapping/index.ts';
import type { Mapping } from '../mapping/index.ts';
import type { BackfillState } from '../sides/side-database.ts';
import type { Dialect, Reads, Tx } from './dialect.ts';

const COLUMNS = `pair, cursor, rows, total, done, ready_position AS "readyPosition",
  started_at AS "startedAt", at`;

type Stored = Omit<BackfillState, 'cursor' | 'done'> & {
  readonly cursor: string | null;
  readonly done: boolean | number;
};

/** How far each pair has been copied, in the order of the mapping. */
export async function readBackfills(
  tx: Reads,
  { capability, pairs }: Mapping,
): Promise<readonly BackfillState[]> {
  const rows = await tx.all<Stored>(`SELECT ${COLUMNS} FROM fig_backfill WHERE capability = $1`, [
    capability,
  ]);
  const states = rows.map(({ cursor, done, ...rest }) => ({
    ...rest,
    cursor: cursor === null ? null : decodeValues(cursor),
    done: Boolean(done),
  }));
  return pairs
    .map(({ name }) => states.find(({ pair }) => pair === name))
    .filter((state) => state !== undefined);
}

export async function saveBackfill(
  tx: Tx,
  { stored }: Dialect,
  capability: string,
  state: BackfillState,
): Promise<void> {
  const { pair, cursor, rows, total, done, readyPosition, startedAt, at } = state;
  const key = cursor === null ? null : stored(encodeValues(cursor));
  await tx.run(
    `INSERT INTO fig_backfill (capability, pair, cursor, rows, total, done, ready_position,
         started_at, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       ON CONFLICT (capability, pair) DO UPDATE SET cursor = excluded.cursor, rows = excluded.rows,
         total = excluded.total, done = excluded.done,
         ready_position = excluded.ready_position, at = excluded.at`,
    [capability, pair, key, rows, total, done, readyPosition, startedAt, at],
  );
}

/** Begins a new copy: every row is about to be copied as it is then, so nothing is left to wait for. */
export async function forgetCopy(tx: Tx, capability: string): Promise<void> {
  for (const table of ['fig_backfill', 'fig_waiting', 'fig_parked']) {
    await tx.run(`DELETE FROM ${table} WHERE capability = $1`, [capability]);
  }
}

/** Says whether the side holds a whole copy. */
export async function saveComplete(tx: Tx, capability: string, complete: boolean): Promise<void> {
  await tx.run('UPDATE fig_install SET complete = $1 WHERE capability = $2', [
    complete,
    capability,
  ]);
}

/** How many rows a second may be copied; null: as many as can be. */
export async function readCopyLimit(tx: Reads, capability: string): Promise<number | null> {
  const row = await tx.get<{ limit: number }>(
    'SELECT rows_per_second AS "limit" FROM fig_copy_limit WHERE capability = $1',
    [capability],
  );
  return row?.limit ?? null;
}

export async function saveCopyLimit(
  tx: Tx,
  capability: string,
  rowsPerSecond: number | null,
): Promise<void> {
  await tx.run('DELETE FROM fig_copy_limit WHERE capability = $1', [capability]);
  if (rowsPerSecond === null) return;
  await tx.run('INSERT INTO fig_copy_limit VALUES ($1, $2)', [capability, rowsPerSecond]);
}
