import type { SideName } from '../side.ts';
import { PackedChange, wholeTransactions } from '../packed-change.ts';
import type { PackedRow } from '../packed-change.ts';
import { feedLost } from '../side-database.ts';
import type { FeedReader } from '../side-database.ts';
import type { Slice } from '../store.ts';
import type { PostgresConnection } from './connection.ts';
import { PASS_FUNCTION } from './functions.ts';
import { prepared } from './prepared.ts';
import type { Sequencer } from './sequencer.ts';
import { captureTable, feedTable } from './tables.ts';
import { name } from './values.ts';

/** How a row of the feed is read, for `PackedChange`. */
export const PACKED = 'position, tx, tbl, key, op, image, epoch, at';

/** The feed of one side: what the sequencer has put in order. Whoever reads has it look first. */
export class PostgresFeedReader implements FeedReader {
  readonly #db: PostgresConnection;
  readonly #capability: string;
  readonly #side: SideName;
  readonly #sequencer: Sequencer;
  readonly #feed: string;
  /** Nothing is kept below: rows that were deleted there are not to be looked through each time. */
  #oldest = 0;
  /** Whether the last look has left something. */
  #plenty = false;

  constructor(
    connection: PostgresConnection,
    sequencer: Sequencer,
    capability: string,
    side: SideName,
  ) {
    this.#db = connection;
    this.#sequencer = sequencer;
    this.#capability = capability;
    this.#side = side;
    this.#feed = name(feedTable(capability));
  }

  async read(after: number, limit: number): Promise<Slice> {
    const packed = await this.#newest(after, limit);
    const [first] = packed;
    if (first === undefined ? after > (await this.#last()) : first[0] !== after + 1) {
      throw feedLost(this.#capability, this.#side, after);
    }
    const changes = packed
      .slice(0, wholeTransactions(packed, limit))
      .map((row) => new PackedChange(row));
    const upto = changes.at(-1)?.position ?? after;
    return { capability: this.#capability, feedOf: this.#side, after, upto, changes };
  }

  /** Where there was more than enough before, what is new by now can wait for its position. */
  async #newest(after: number, limit: number): Promise<PackedRow[]> {
    const known = this.#plenty ? await this.#packed(after, limit) : [];
    if (known.length > limit) return known;
    await this.#sequencer.run();
    const packed = await this.#packed(after, limit);
    this.#plenty = packed.length > limit;
    return packed;
  }

  async #packed(after: number, limit: number): Promise<PackedRow[]> {
    const sql = `SELECT ${PACKED} FROM ${this.#feed} WHERE position > $1 ORDER BY position LIMIT $2`;
    const query = { ...prepared(sql, [after, limit + 1]), rowMode: 'array' };
    return (await this.#db.query(query)).rows as unknown as PackedRow[];
  }

  async last(): Promise<number> {
    await this.#sequencer.run();
    return this.#last();
  }

  async recordedAt(after: number): Promise<number | null> {
    const { rows } = await this.#db.query<{ at: number | null }>(
      `SELECT coalesce((SELECT at FROM ${this.#feed} WHERE position > $1 ORDER BY position LIMIT 1),
         (SELECT min(at) FROM ${name(captureTable(this.#capability))})) AS at`,
      [after],
    );
    return rows[0]?.at ?? null;
  }

  async size(): Promise<number> {
    const { rows } = await this.#db.query<{ oldest: number; last: number }>(
      `SELECT s.last, (SELECT position FROM ${this.#feed} WHERE position >= $2
           ORDER BY position LIMIT 1) AS oldest
         FROM fig_sequence s WHERE capability = $1`,
      [this.#capability, this.#oldest],
    );
    const [{ oldest, last } = { oldest: 1, last: 0 }] = rows;
    this.#oldest = oldest;
    return last - oldest + 1;
  }

  /** It need not survive a power cut by itself: its position is given out later, and that does. */
  async beat(): Promise<boolean> {
    const capture = name(captureTable(this.#capability));
    return this.#db.transaction(
      async (client) => {
        const { rowCount } = await client.query(
          `INSERT INTO ${capture} (tbl, key, op, image, epoch)
             SELECT '', '{}', 'heartbeat', NULL, epoch FROM ${PASS_FUNCTION}($1)
             WHERE EXISTS (SELECT FROM fig_fence WHERE capability = $1 AND fig_fence.state = 'open')`,
          [this.#capability],
        );
        return rowCount === 1;
      },
      { durable: false },
    );
  }

  async trim(upto: number, limit: number): Promise<number> {
    const { rows } = await this.#db.transaction(
      (client) =>
        client.query<{ position: number }>(
          `DELETE FROM ${this.#feed} WHERE position IN (
             SELECT position FROM ${this.#feed} WHERE position >= $1 AND position <= $2
               AND position < (SELECT last FROM fig_sequence WHERE capability = $3)
             ORDER BY position LIMIT $4) RETURNING position`,
          [this.#oldest, upto, this.#capability, limit],
        ),
      { durable: false },
    );
    for (const { position } of rows) this.#oldest = Math.max(this.#oldest, position + 1);
    return rows.length;
  }

  async #last(): Promise<number> {
    const { rows } = await this.#db.query<{ last: number }>(
      prepared('SELECT last FROM fig_sequence WHERE capability = $1', [this.#capability]),
    );
    return rows[0]?.last ?? 0;
  }
}
