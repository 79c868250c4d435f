import type { QueryResult } from 'pg';
import { Mutex } from '../mutex.ts';
import type { PostgresClient, PostgresConnection } from './connection.ts';
import { captureTable, feedTable } from './tables.ts';
import { name, text } from './values.ts';

/** A moment after which every transaction that was yet to begin writes larger sequence numbers. */
interface Mark {
  /** The number of a transaction that began to write after the sequence number was read. */
  readonly next: bigint;
  /** The sequence number that was newest. */
  readonly seq: number;
}

interface Moved extends Mark {
  /** The oldest transaction that was still under way. */
  readonly oldest: bigint;
  /** The feed's last position. */
  readonly last: number;
}

/**
 * Gives captured changes their positions in the feed. A change is captured with a sequence number,
 * but transactions commit in another order than that, and one that commits late must not be passed
 * over. So whatever is visible, and thus committed, is moved to the feed, behind what is there:
 * whole transactions in the order of their last sequence numbers. Whoever changes a row again waited
 * for the commit of whoever had changed it, so all of that one's numbers are smaller, and one that is
 * visible is never without those it waited for. Rows of `fig_sequence` are locked by whoever does it.
 */
export class Sequencer {
  readonly #db: PostgresConnection;
  readonly #capability: string;
  readonly #capture: string;
  readonly #mutex = new Mutex();
  /** No row with a smaller sequence number is still to come. */
  #floor = 0;
  #mark: Mark | undefined;

  constructor(connection: PostgresConnection, capability: string) {
    this.#db = connection;
    this.#capability = capability;
    this.#capture = name(captureTable(capability));
  }

  /** Moves everything to the feed that was committed before the call. */
  async run(): Promise<void> {
    await this.#mutex.run(async () => {
      const { rows } = await this.#db.query<{ any: boolean }>(
        `SELECT EXISTS (SELECT FROM ${this.#capture} WHERE seq >= ${this.#floor}) AS any`,
      );
      if (rows[0]?.any !== true) return;
      const moved = await this.#db.transaction((client) => this.#move(client));
      // Not before it is committed: what is rolled back is there again.
      this.#remember(moved);
    });
  }

  /**
   * The same in somebody's transaction, which must be one that sees what others commit meanwhile.
   * @returns the feed's last position
   */
  async moveIn(client: PostgresClient): Promise<number> {
    return (await this.#move(client)).last;
  }

  async #move(client: PostgresClient): Promise<Moved> {
    const sequence = `pg_get_serial_sequence(${text(this.#capture)}, 'seq')::regclass`;
    // All in one go: a network lies between. Whoever has captured has a number by then, so the newest
    // sequence number is read before this transaction gets its own, which the lock gives it. (The end of
    // a snapshot would not do: transactions that are under way may lie behind it.)
    const results = (await client.query(
      `SELECT coalesce(pg_sequence_last_value(${sequence}), 0) AS seq;
       SELECT FROM fig_sequence WHERE capability = ${text(this.#capability)} FOR UPDATE;
       ${this.#moveSql()};
       SELECT last FROM fig_sequence WHERE capability = ${text(this.#capability)}`,
    )) as unknown as readonly QueryResult<Record<string, string | number>>[];
    const found = Object.assign({}, ...results.map(({ rows }) => rows[0])) as Record<
      string,
      string
    >;
    return {
      seq: Number(found['seq']),
      oldest: BigInt(found['oldest'] ?? 0),
      next: BigInt(found['next'] ?? 0),
      last: Number(found['last']),
    };
  }

  #moveSql(): string {
    const capability = text(this.#capability);
    return `
      WITH captured AS (DELETE FROM ${this.#capture} WHERE seq >= ${this.#floor} RETURNING *),
      ordered AS (SELECT *, max(seq) OVER (PARTITION BY tx) AS ends FROM captured),
      moved AS (
        INSERT INTO ${name(feedTable(this.#capability))}
            (position, tx, tbl, key, op, image, epoch, at)
          SELECT s.last + row_number() OVER (ORDER BY o.ends, o.seq),
            o.tx, o.tbl, o.key, o.op, o.image, o.epoch, o.at
          FROM ordered o, fig_sequence s WHERE s.capability = ${capability}
          ORDER BY o.ends, o.seq RETURNING position),
      counted AS (
        UPDATE fig_sequence SET last = last + (SELECT count(*) FROM moved)
          WHERE capability = ${capability} AND EXISTS (SELECT FROM moved))
      SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS oldest,
        pg_current_xact_id()::text AS next`;
  }

  /**
   * Rows that were moved leave their places behind until a vacuum, which may have to wait for a
   * backup, say: looking through them each time would take longer and longer. So it is remembered up
   * to where nothing can come any more: when all transactions are over that were under way at a mark.
   */
  #remember({ seq, oldest, next }: Moved): void {
    if (this.#mark !== undefined && oldest >= this.#mark.next) {
      this.#floor = Math.max(this.#floor, this.#mark.seq + 1);
      this.#mark = undefined;
    }
    this.#mark ??= { next, seq };
  }
}
