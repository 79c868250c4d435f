import type { SideName } from '../../../routing/side.ts';
import { PackedSlice } from '../../replication/packed-slice.ts';
import type { PackedLines } from '../../replication/packed-slice.ts';
import { COUNTED, feedLost, QUIET_BEAT_MS } from '../../sides/side-database.ts';
import type { FeedReader, Pending } from '../../sides/side-database.ts';
import type { Slice } from '../../ledger/store.ts';
import type { PostgresConnection } from './connection.ts';
import { PASS_FUNCTION } from './functions.ts';
import { prepared } from './prepared.ts';
import type { Sequencer } from './sequencer.ts';
import { captureTable, feedTable } from './tables.ts';
import { name, NOW_SQL } from './values.ts';

/** How a row of the feed is read, for `PackedChange`. */
export const PACKED = 'position, tx, tbl, key, op, image, epoch, at';

/** SQL for `markOf` of a row. */
const MARK_OF = `concat_ws(':', position, tx, at)`;

/** Changes that follow a position, to the end of a transaction. */
interface Gathered {
  /** Position of the first and of the last of them; null when there is none. */
  readonly first: number | null;
  readonly upto: number | null;
  /** Whether there are more than they. */
  readonly more: boolean;
  /** The mark of the change that they follow. */
  readonly before: string | null;
  readonly lines: PackedLines | undefined;
}

const NO_LINES: PackedLines = { tx: '', table: '', key: '', op: '', image: '', epoch: '', at: '' };
const NOTHING = { first: null, upto: null, more: false, before: null, ...NO_LINES };

/**
 * SQL for the changes after $1, at most $2 of them, that make whole transactions (see
 * `wholeTransactions`): one more than those tells which transaction goes on.
 */
function gatherSql(feed: string): string {
  const columns = Object.entries({
    tx: 'tx',
    table: 'to_json(tbl)',
    key: 'key',
    op: 'op',
    image: `coalesce(image, '')`,
    epoch: 'epoch',
    at: 'at',
  }).map(([column, sql]) => `string_agg((${sql})::text, E'\\n') AS "${column}"`);
  return `
    WITH next AS MATERIALIZED (
      SELECT ${PACKED} FROM ${feed} WHERE position > $1::bigint ORDER BY position LIMIT $2::bigint + 1),
    whole AS MATERIALIZED (
      SELECT min(position) AS first, count(*) > $2::bigint AS more,
        CASE WHEN count(*) <= $2::bigint THEN max(position) ELSE coalesce(
          (SELECT max(position) FROM next
            WHERE tx <> (SELECT tx FROM next ORDER BY position DESC LIMIT 1)),
          $1::bigint + $2::bigint) END AS upto
      FROM next)
    SELECT (SELECT ${MARK_OF} FROM ${feed} WHERE position = $1::bigint) AS before, min(first) AS first, min(upto) AS upto, (SELECT more FROM whole) AS more,
      ${columns.join(', ')}
    FROM next, whole WHERE position <= upto`;
}

/** How far the sequencer runs ahead of whoever reads a backlog, in changes. */
const AHEAD = 40_000;

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
    const { first, upto, before, lines } = await this.#newest(after, limit);
    if (first === null ? after > (await this.#last()) : first !== after + 1) {
      throw feedLost(this.#capability, this.#side, after);
    }
    const slice = { capability: this.#capability, feedOf: this.#side, after, before };
    if (lines === undefined) return { ...slice, upto: after, changes: [] };
    return new PackedSlice({ ...slice, upto: upto ?? after, lines });
  }

  /** Where there was more than enough before, what is new by now can wait for its position. */
  async #newest(after: number, limit: number): Promise<Gathered> {
    const known = this.#plenty ? await this.#gather(after, limit) : undefined;
    if (known?.more !== true) await this.#sequencer.run(after + limit + 1);
    const found = known?.more === true ? known : await this.#gather(after, limit);
    this.#plenty = found.more;
    // While these are on their way, the next are given their positions.
    if (found.more) this.#sequencer.runAhead(after + AHEAD);
    return found;
  }

  /** One row for all of them: taking thousands apart costs more than anything else that is done to them. */
  async #gather(after: number, limit: number): Promise<Gathered> {
    const { rows } = await this.#db.query<Omit<Gathered, 'lines'> & PackedLines>(
      prepared(gatherSql(this.#feed), [after, limit]),
    );
    const [{ first, upto, more, before, ...lines } = NOTHING] = rows;
    return { first, upto, more, before, lines: first === null ? undefined : lines };
  }

  async last(enough?: number): Promise<number> {
    await this.#sequencer.run(enough);
    return this.#last();
  }

  async pending(after: number): Promise<Pending> {
    // Those that have no position yet come after all that have.
    const { rows } = await this.#db.query<Pending>(
      `SELECT count(*)::int AS changes, min(at) AS since FROM (
         (SELECT at FROM ${this.#feed} WHERE position > $1 AND op <> 'heartbeat'
            ORDER BY position LIMIT ${COUNTED})
         UNION ALL
         (SELECT at FROM ${name(captureTable(this.#capability))} WHERE op <> 'heartbeat'
            LIMIT ${COUNTED})) pending`,
      [after],
    );
    const [pending = { changes: 0, since: null }] = rows;
    if (pending.changes < COUNTED) return pending;
    return { ...pending, changes: Math.max(pending.changes, (await this.#last()) - after) };
  }

  async markAt(position: number): Promise<string | null> {
    const { rows } = await this.#db.query<{ mark: string }>(
      `SELECT ${MARK_OF} AS mark FROM ${this.#feed} WHERE position = $1`,
      [position],
    );
    return rows[0]?.mark ?? null;
  }

  async newest(): Promise<number | null> {
    const { rows } = await this.#db.query<{ at: number | null }>(
      `SELECT coalesce((SELECT max(at) FROM ${name(captureTable(this.#capability))} WHERE op <> 'heartbeat'),
         (SELECT at FROM ${this.#feed} WHERE op <> 'heartbeat' ORDER BY position DESC LIMIT 1)) AS at`,
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
    const { open, quiet } = await this.#activity(capture);
    if (!open || quiet) return open;
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

  /** Whether this side is an owner, and whether a heartbeat, not long ago, was the last that happened. */
  async #activity(capture: string): Promise<{ readonly open: boolean; readonly quiet: boolean }> {
    const { rows } = await this.#db.query<{ open: boolean; quiet: boolean }>(
      prepared(
        `SELECT EXISTS (SELECT FROM fig_fence WHERE capability = $1 AND fig_fence.state = 'open') AS open,
           NOT EXISTS (SELECT FROM ${capture}) AND EXISTS (
             SELECT FROM ${this.#feed} f JOIN fig_sequence s ON s.last = f.position AND s.capability = $1
             WHERE f.op = 'heartbeat' AND abs(f.at - ${NOW_SQL}) < ${QUIET_BEAT_MS}) AS quiet`,
        [this.#capability],
      ),
    );
    return rows[0] ?? { open: false, quiet: false };
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
