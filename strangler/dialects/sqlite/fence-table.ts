import type { Fence } from '../../../chassis/index.ts';
import { FenceRows, FenceCache, merged, movable, REST } from '../../fence-rows.ts';
import type { FenceDigest, KeyFence, Keys } from '../../fence-rows.ts';
import type { FenceMove } from '../../store.ts';
import type { SqliteConnection } from './connection.ts';

const FENCE = `SELECT state, epoch FROM fig_fence WHERE capability = ? AND key = '*'`;

const FENCES = `SELECT key, state, epoch FROM fig_fence WHERE capability = ? ORDER BY key = '*' DESC, key`;

const FENCES_OF = `SELECT key, state, epoch FROM fig_fence
  WHERE capability = ? AND (key = '*' OR key IN (SELECT value FROM json_each(?)))`;
const GLANCE = `SELECT r.state, r.epoch, count(*) AS rows, sum(f.epoch) AS epochs,
    sum(f.state = 'open') AS open, sum(f.state = 'ceded') AS ceded
  FROM fig_fence r JOIN fig_fence f USING (capability) WHERE r.capability = ? AND r.key = '*'
  GROUP BY r.key`;

/**
 * The fences of one capability: the rest's, and those of keys that have their own. `rest` and `all` read
 * in a snapshot, everything else in the transaction that is under way.
 */
export class FenceTable {
  readonly #db: SqliteConnection;
  readonly #capability: string;
  readonly #known = new FenceCache();

  constructor(connection: SqliteConnection, capability: string) {
    this.#db = connection;
    this.#capability = capability;
  }

  rest(): Fence {
    return this.#db.read(FENCE).get(this.#capability) as Fence;
  }

  all(): FenceRows {
    const glance = this.#db.read(GLANCE).get(this.#capability) as FenceDigest | undefined;
    if (glance === undefined) return new FenceRows([]);
    const all = (): KeyFence[] => this.#db.read(FENCES).all(this.#capability) as KeyFence[];
    return this.#known.take(glance, all);
  }

  /** The fences of a set, with that of the rest; all where everything is meant. */
  of(keys: Keys = null): readonly KeyFence[] {
    const rows =
      keys === null
        ? this.#db.write(FENCES).all(this.#capability)
        : this.#db.write(FENCES_OF).all(this.#capability, JSON.stringify(keys));
    return rows as KeyFence[];
  }

  set(key: string, { state, epoch }: Fence): void {
    this.#db
      .write('UPDATE fig_fence SET state = ?, epoch = ? WHERE capability = ? AND key = ?')
      .run(state, epoch, this.#capability, key);
  }

  /** All of them or none. */
  move(move: FenceMove): boolean {
    const moving = movable(this.of(move.keys), move);
    for (const { key } of moving ?? []) this.set(key, move.to);
    return moving !== null;
  }

  /** Gives keys fences of their own, equal to that of the rest, where they have none. */
  split(keys: readonly string[]): void {
    const insert = this.#db.write(
      `INSERT INTO fig_fence (capability, key, state, epoch)
         SELECT capability, ?, state, epoch FROM fig_fence WHERE capability = ? AND key = '*'
         ON CONFLICT DO NOTHING`,
    );
    for (const key of keys) insert.run(key, this.#capability);
  }

  /** Once all keys are where the rest is, the rest's fence speaks for all. */
  merge(): void {
    const whole = merged(this.of());
    if (whole === null) return;
    this.set(REST, whole);
    this.#db
      .write(`DELETE FROM fig_fence WHERE capability = ? AND key <> '*'`)
      .run(this.#capability);
  }
}
