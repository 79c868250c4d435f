import type { Statement } from 'better-sqlite3';
import { encodeKey, encodeRow } from '../../mapping/index.ts';
import { parkedOf, PARKED_COLUMNS } from '../../ledger/index.ts';
import type { ParkedRow } from '../../ledger/index.ts';
import type { Place } from '../../replication/parked/index.ts';
import type { ParkedChange } from '../../sides/side-database.ts';
import { sqlite } from './ledger.ts';

type Prepare = (sql: string) => Statement;
type Waiting = Pick<ParkedChange, 'table' | 'key'>;

/** The rows of fig_parked of one capability, within a transaction of the target. */
export class ParkedTable {
  readonly #prepare: Prepare;
  readonly #capability: string;

  constructor(prepare: Prepare, capability: string) {
    this.#prepare = prepare;
    this.#capability = capability;
  }

  any(): boolean {
    return (
      this.#prepare('SELECT 1 FROM fig_parked WHERE capability = ? LIMIT 1').get(
        this.#capability,
      ) !== undefined
    );
  }

  /** Whether something is parked that has to be applied before a change of this row. */
  isBehind(root: string, { table, key }: Waiting, place: Place | null): boolean {
    const before = this.#prepare(
      `SELECT 1 FROM fig_parked WHERE capability = ? AND (root = ? OR (tbl = ? AND key = ?))
         AND (? IS NULL OR id < ?) LIMIT 1`,
    ).get(this.#capability, root, table, encodeKey(key), place?.id ?? null, place?.id ?? null);
    return before !== undefined;
  }

  /** Takes out what is parked of one row, and says which place that had. */
  takeOut({ table, key }: Waiting): Place | null {
    const own = [this.#capability, table, encodeKey(key)];
    const where = 'WHERE capability = ? AND tbl = ? AND key = ?';
    const place = this.#prepare(
      `SELECT id, attempts FROM fig_parked ${where} ORDER BY id LIMIT 1`,
    ).get(...own) as Place | undefined;
    if (place === undefined) return null;
    this.#prepare(`DELETE FROM fig_parked ${where}`).run(...own);
    return place;
  }

  /** What has to be applied before all else of an aggregate. */
  firstOf(root: string): ParkedChange | undefined {
    const row = this.#prepare(
      `SELECT ${PARKED_COLUMNS} FROM fig_parked WHERE capability = ? AND root = ? ORDER BY id LIMIT 1`,
    ).get(this.#capability, root) as ParkedRow | undefined;
    return row && parkedOf(row, sqlite);
  }

  remove({ id }: Pick<ParkedChange, 'id'>): void {
    this.#prepare('DELETE FROM fig_parked WHERE id = ?').run(id);
  }

  /** What was parked for a row's aggregate under the name the row had then. */
  rootOf({ table, key }: Waiting): string | undefined {
    return this.#prepare(
      'SELECT root FROM fig_parked WHERE capability = ? AND tbl = ? AND key = ? ORDER BY id LIMIT 1',
    )
      .pluck()
      .get(this.#capability, table, encodeKey(key)) as string | undefined;
  }

  add(change: Omit<ParkedChange, 'id'>, place: Place | null): ParkedChange {
    const { root, table, key, op, image, position, reason, attempts, at } = change;
    const { lastInsertRowid } = this.#prepare(
      `INSERT INTO fig_parked
         (id, capability, root, tbl, key, op, image, position, reason, attempts, at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      place?.id ?? null,
      this.#capability,
      root,
      table,
      encodeKey(key),
      op,
      image === null ? null : encodeRow(image),
      position,
      reason,
      attempts,
      at,
    );
    return { ...change, id: Number(lastInsertRowid) };
  }
}
