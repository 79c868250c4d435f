import { decodeKeys, encodeKeys } from '../ownership/fence-rows.ts';
import type { Keys } from '../ownership/fence-rows.ts';
import type { HandoverRecord } from './store.ts';
import type { Dialect, LedgerValue, Reads, Tx } from './dialect.ts';

const COLUMNS = `id, capability, from_side AS "from", to_side AS "to", epoch, deadline, position,
  outcome, reason, started_at AS "startedAt", finished_at AS "finishedAt", keys`;

type Stored = Omit<HandoverRecord, 'keys'> & { readonly keys: string | null };

function recordOf(row: Stored): HandoverRecord {
  return { ...row, keys: decodeKeys(row.keys) };
}

/** Records a new handover. @returns whether there was no unfinished one */
export async function addHandover(tx: Tx, record: HandoverRecord): Promise<boolean> {
  // One that was begun in this moment can't be seen yet: the index waits for it and tells.
  const added = await tx.run(
    `INSERT INTO fig_handover (id, capability, from_side, to_side, epoch, deadline, position,
         outcome, reason, started_at, finished_at, keys)
       SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 WHERE NOT EXISTS
         (SELECT 1 FROM fig_handover WHERE capability = $2 AND outcome IS NULL)
       ON CONFLICT DO NOTHING`,
    valuesOf(record),
  );
  return added === 1;
}

/** In the order of the table's columns. */
function valuesOf(record: HandoverRecord): readonly LedgerValue[] {
  const { id, capability, from, to, epoch, deadline } = record;
  const { position, outcome, reason, startedAt, finishedAt } = record;
  const plan = [id, capability, from, to, epoch, deadline];
  return [...plan, position, outcome, reason, startedAt, finishedAt, encodeKeys(record.keys)];
}

/** The handover without an outcome, if any. */
export async function unfinishedHandover(
  tx: Reads,
  capability: string,
): Promise<HandoverRecord | undefined> {
  const row = await tx.get<Stored>(
    `SELECT ${COLUMNS} FROM fig_handover WHERE capability = $1 AND outcome IS NULL
       ORDER BY started_at DESC LIMIT 1`,
    [capability],
  );
  return row && recordOf(row);
}

/** The newest first. */
export async function recentHandovers(
  tx: Reads,
  { inserted }: Dialect,
  capability: string,
  limit: number,
): Promise<readonly HandoverRecord[]> {
  const rows = await tx.all<Stored>(
    `SELECT ${COLUMNS} FROM fig_handover WHERE capability = $1
       ORDER BY started_at DESC, ${inserted} DESC LIMIT $2`,
    [capability, limit],
  );
  return rows.map((row) => recordOf(row));
}

/** What a handover moves. */
export async function keysOf(tx: Reads, handover: string): Promise<Keys> {
  const sql = 'SELECT keys FROM fig_handover WHERE id = $1';
  return decodeKeys((await tx.get<{ keys: string | null }>(sql, [handover]))?.keys);
}

/** Keeps a handover's position unless it has one. @returns the position that it has */
export async function savePosition(
  tx: Tx,
  handover: string,
  position: number,
): Promise<number | null> {
  const kept = await tx.get<{ position: number }>(
    `UPDATE fig_handover SET position = coalesce(position, CAST($2 AS BIGINT)) WHERE id = $1
       RETURNING position`,
    [handover, position],
  );
  return kept?.position ?? null;
}

/** @returns whether it had no outcome */
export async function finishHandover(
  tx: Tx,
  { now }: Dialect,
  handover: string,
  outcome: 'done' | 'aborted',
  reason: string | null,
): Promise<boolean> {
  const finished = await tx.run(
    `UPDATE fig_handover SET outcome = $2, reason = $3, finished_at = ${now}
       WHERE id = $1 AND outcome IS NULL`,
    [handover, outcome, reason],
  );
  return finished === 1;
}
