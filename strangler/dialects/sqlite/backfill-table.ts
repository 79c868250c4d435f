import type { Statement } from 'better-sqlite3';
import { decodeValues, encodeValues } from '../../mapping/index.ts';
import type { BackfillState } from '../../side-database.ts';

const COLUMNS = `pair, cursor, rows, total, done, ready_position AS readyPosition,
  started_at AS startedAt, at`;

type Stored = Omit<BackfillState, 'cursor' | 'done'> & { cursor: string | null; done: number };
type Prepare = (sql: string) => Statement;

function fromStored(stored: Stored): BackfillState {
  return {
    ...stored,
    cursor: stored.cursor === null ? null : decodeValues(stored.cursor),
    done: stored.done === 1,
  };
}

export function readBackfills(prepare: Prepare, capability: string): readonly BackfillState[] {
  const stored = prepare(
    `SELECT ${COLUMNS} FROM fig_backfill WHERE capability = ? ORDER BY rowid`,
  ).all(capability) as Stored[];
  return stored.map((row) => fromStored(row));
}

export function writeBackfill(prepare: Prepare, capability: string, state: BackfillState): void {
  prepare(`INSERT INTO fig_backfill (capability, pair, cursor, rows, total, done, ready_position,
             started_at, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET cursor = excluded.cursor, rows = excluded.rows,
             total = excluded.total, done = excluded.done,
             ready_position = excluded.ready_position, at = excluded.at`).run(
    capability,
    state.pair,
    state.cursor === null ? null : encodeValues(state.cursor),
    state.rows,
    state.total,
    state.done ? 1 : 0,
    state.readyPosition,
    state.startedAt,
    state.at,
  );
}

export function readCopyLimit(prepare: Prepare, capability: string): number | null {
  const limit = prepare('SELECT rows_per_second FROM fig_copy_limit WHERE capability = ?')
    .pluck()
    .get(capability) as number | undefined;
  return limit ?? null;
}

export function writeCopyLimit(prepare: Prepare, capability: string, limit: number | null): void {
  prepare('DELETE FROM fig_copy_limit WHERE capability = ?').run(capability);
  if (limit === null) return;
  prepare('INSERT INTO fig_copy_limit VALUES (?, ?)').run(capability, limit);
}
