import type { SideName } from '../../../routing/side.ts';
import { markOf } from '../../replication/feed-mark.ts';
import type { Marked } from '../../replication/feed-mark.ts';
import { PackedChange, wholeTransactions } from '../../replication/packed-change.ts';
import type { PackedRow } from '../../replication/packed-change.ts';
import { COUNTED, feedLost, QUIET_BEAT_MS } from '../../sides/side-database.ts';
import type { FeedReader, Pending } from '../../sides/side-database.ts';
import type { Slice } from '../../ledger/store.ts';
import type { SqliteConnection } from './connection.ts';
import { exactChanges } from './exact-read.ts';
import { feedTable, NOW_SQL } from './tables.ts';
import { name } from './values.ts';

/** The feed table of one side. SQLite has one writer, so positions are dense and in commit order. */
export class SqliteFeedReader implements FeedReader {
  readonly #db: SqliteConnection;
  readonly #capability: string;
  readonly #side: SideName;
  readonly #feed: string;

  constructor(connection: SqliteConnection, capability: string, side: SideName) {
    this.#db = connection;
    this.#capability = capability;
    this.#side = side;
    this.#feed = name(feedTable(capability));
  }

  async read(after: number, limit: number): Promise<Slice> {
    const slice = await this.#db.snapshot(() => this.#read(after, limit));
    if (slice.changes.length > 0) await this.#db.settled();
    return slice;
  }

  last(): Promise<number> {
    return this.#db.snapshot(() => this.#last());
  }

  pending(after: number): Promise<Pending> {
    return this.#db.snapshot(() => {
      const pending = this.#db
        .read(
          `SELECT count(*) AS changes, min(at) AS since FROM (SELECT at FROM ${this.#feed}
             WHERE position > ? AND op <> 'heartbeat' ORDER BY position LIMIT ${COUNTED})`,
        )
        .get(after) as Pending;
      if (pending.changes < COUNTED) return pending;
      return { ...pending, changes: this.#last() - after };
    });
  }

  markAt(position: number): Promise<string | null> {
    return this.#db.snapshot(() => this.#markAt(position));
  }

  newest(): Promise<number | null> {
    const sql = `SELECT at FROM ${this.#feed} WHERE op <> 'heartbeat' ORDER BY position DESC LIMIT 1`;
    return this.#db.snapshot(
      () => (this.#db.read(sql).pluck().get() as number | undefined) ?? null,
    );
  }

  size(): Promise<number> {
    // Each by itself, or SQLite would look at every row of the feed.
    const sql = `SELECT (SELECT max(position) FROM ${this.#feed}) -
      (SELECT min(position) FROM ${this.#feed}) + 1`;
    return this.#db.snapshot(() => this.#db.read(sql).pluck().get() as number);
  }

  #read(after: number, limit: number): Slice {
    // Not bound: SQLite would compile the statement again each time.
    const found = this.#db
      .read(
        `SELECT position, tx, tbl, key, op, image, epoch, at FROM ${this.#feed}
             WHERE position > ? ORDER BY position LIMIT ${limit + 1}`,
      )
      .raw()
      .all(after) as PackedRow[];
    const rows = exactChanges((sql) => this.#db.read(sql), this.#feed, found);
    const [first] = rows;
    if (first === undefined ? after > this.#last() : first[0] !== after + 1)
      throw feedLost(this.#capability, this.#side, after);
    const changes = rows
      .slice(0, wholeTransactions(rows, limit))
      .map((row) => new PackedChange(row));
    return {
      capability: this.#capability,
      feedOf: this.#side,
      after,
      upto: changes.at(-1)?.position ?? after,
      before: this.#markAt(after),
      changes,
    };
  }

  #markAt(position: number): string | null {
    const sql = `SELECT position, tx, at FROM ${this.#feed} WHERE position = ?`;
    const change = this.#db.read(sql).get(position) as Marked | undefined;
    return change === undefined ? null : markOf(change);
  }

  #last(): number {
    return this.#db.read(`SELECT max(position) FROM ${this.#feed}`).pluck().get() as number;
  }

  /**
   * A heartbeat also ends the group of transactions before it: SQLite tells a trigger nothing of
   * its transaction, so changes are grouped by the clock that ticks here. It is on the disk when it
   * is read, as all changes are: a lost one's position would be given out a second time, after it
   * was applied.
   */
  async beat(): Promise<boolean> {
    const { open, quiet } = await this.#db.snapshot(() => this.#activity());
    if (!open || quiet) return open;
    const write = (): boolean => {
      const { changes } = this.#db
        .write(
          `INSERT INTO ${this.#feed} (tx, tbl, key, op, image, epoch, at)
                SELECT tx + 1, '', '{}', 'heartbeat', NULL, epoch, ${NOW_SQL}
                FROM fig_clock JOIN fig_fence ON capability = ? AND state = 'open'
                WHERE id = 1 LIMIT 1`,
        )
        .run(this.#capability);
      if (changes === 0) return false;
      this.#db.write('UPDATE fig_clock SET tx = tx + 1 WHERE id = 1').run();
      return true;
    };
    return this.#db.transaction(write, { durable: false });
  }

  /** Whether this side is an owner, and whether a heartbeat, not long ago, was the last that happened. */
  #activity(): { readonly open: boolean; readonly quiet: boolean } {
    const sql = `SELECT
      EXISTS (SELECT 1 FROM fig_fence WHERE capability = ? AND state = 'open') AS open,
      EXISTS (SELECT 1 FROM ${this.#feed} WHERE position = (SELECT max(position) FROM ${this.#feed})
        AND op = 'heartbeat' AND abs(at - ${NOW_SQL}) < ${QUIET_BEAT_MS}) AS quiet`;
    const { open, quiet } = this.#db.read(sql).get(this.#capability) as Record<string, number>;
    return { open: open === 1, quiet: quiet === 1 };
  }

  trim(upto: number, limit: number): Promise<number> {
    return this.#db.transaction(
      () =>
        this.#db
          .write(
            `DELETE FROM ${this.#feed} WHERE position IN
                  (SELECT position FROM ${this.#feed} WHERE position <= ?
                     AND position < (SELECT max(position) FROM ${this.#feed})
                   ORDER BY position LIMIT ?)`,
          )
          .run(upto, limit).changes,
      { durable: false },
    );
  }
}
