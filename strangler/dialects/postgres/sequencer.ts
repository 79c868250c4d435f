import pLimit from 'p-limit';
import type { QueryResult } from 'pg';
import type { FeedEnd } from '../../ledger/index.ts';
import type { PostgresClient, PostgresConnection } from './connection.ts';
import type { PostgresTx } from './ledger.ts';
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
  /** How many changes were moved. */
  readonly count: number;
  /** Whether changes were left for another time. */
  readonly cut: boolean;
}

/** What there is to be moved. */
interface Captured {
  /** The smallest sequence number that is visible; null when nothing is. */
  readonly first: number | null;
  /** The largest that was drawn. */
  readonly newest: number;
  /** The feed's last position. */
  readonly last: number;
}

/** How many changes of a backlog are moved at once, so that readers need not wait for all of it. */
const BATCH = 20_000;
/** Each batch looks through what it leaves: batches grow with it, or a long backlog would take for ever. */
const SHARE = 8;
/** Larger than any sequence number. */
const NO_BOUND = '9223372036854775807';

/**
 * Gives captured changes their positions in the feed. A change is captured with a sequence number,
 * but transactions commit in another order than that, and one that commits late must not be passed
 * over. So whatever is visible, and thus committed, is moved to the feed, behind what is there:
 * whole transactions in the order of their last sequence numbers. Whoever changes a row again waited
 * for the commit of whoever had changed it, so all of that one's numbers are smaller, and one that is
 * visible is never without those it waited for. Rows of `fig_sequence` are locked by whoever does it.
 *
 * A backlog is moved in batches: the transactions whose last sequence number is not above a bound.
 * Those that one of them waited for have smaller numbers still, and are among them.
 */
export class Sequencer implements FeedEnd {
  readonly assigns = true;
  readonly #db: PostgresConnection;
  readonly #capability: string;
  readonly #batch: number;
  readonly #capture: string;
  readonly #inTurn = pLimit(1);
  /** No row with a smaller sequence number is still to come. */
  #floor = 0;
  #mark: Mark | undefined;
  #ahead = false;

  /** @param batch how many changes of a backlog are moved at once */
  constructor(connection: PostgresConnection, capability: string, batch = BATCH) {
    this.#db = connection;
    this.#capability = capability;
    this.#batch = batch;
    this.#capture = name(captureTable(capability));
  }

  /**
   * Moves everything to the feed that was committed before the call.
   * @param enough a position that the caller makes do with: a backlog need not be moved beyond it
   */
  async run(enough = Number.POSITIVE_INFINITY): Promise<void> {
    const begun = await this.#captured();
    let most = Math.max(this.#batch, Math.ceil((begun.newest - (begun.first ?? 0)) / SHARE));
    const isDone = ({ first, last }: Captured): boolean =>
      first === null || first > begun.newest || last >= enough;
    if (isDone(begun)) return;
    // Whoever needs less than another does need not wait for all of it.
    for (let done = false; !done;) {
      done = await this.#inTurn(async () => {
        if (isDone(await this.#captured())) return true;
        const moved = await this.#db.transaction((client) => this.#move(client, most));
        // Not before it is committed: what is rolled back is there again.
        this.#remember(moved);
        // Where all that was looked at is of transactions that go on beyond it, more is looked at.
        if (moved.count === 0) most *= SHARE;
        return !moved.cut;
      });
    }
  }

  /** The same for a backlog that somebody is about to read; nobody waits for it. */
  runAhead(enough: number): void {
    if (this.#ahead) return;
    this.#ahead = true;
    // Whoever needs it for sure asks again, and is told why it can't be done.
    void this.run(enough)
      .catch(() => undefined)
      .finally(() => {
        this.#ahead = false;
      });
  }

  /**
   * The same in somebody's transaction, which must be one that sees what others commit meanwhile.
   * @returns the feed's last position
   */
  async moveIn(client: PostgresClient): Promise<number> {
    return (await this.#move(client)).last;
  }

  last({ client }: PostgresTx): Promise<number> {
    return this.moveIn(client);
  }

  async skipTo(tx: PostgresTx, position: number): Promise<void> {
    await tx.run('UPDATE fig_sequence SET last = greatest(last, $2) WHERE capability = $1', [
      this.#capability,
      position,
    ]);
  }

  async #captured(): Promise<Captured> {
    const { rows } = await this.#db.query<Captured>(
      `SELECT (SELECT min(seq) FROM ${this.#capture} WHERE seq >= ${this.#floor}) AS first,
         ${this.#newestSql} AS newest,
         (SELECT last FROM fig_sequence WHERE capability = ${text(this.#capability)}) AS last`,
    );
    const [found = { first: null, newest: 0, last: 0 }] = rows;
    return found;
  }

  /** @param most how many changes to look at; all where it is left out */
  async #move(client: PostgresClient, most?: number): Promise<Moved> {
    // All in one go: a network lies between. Whoever has captured has a number by then, so the newest
    // sequence number is read before this transaction gets its own, which the lock gives it. (The end of
    // a snapshot would not do: transactions that are under way may lie behind it.)
    const results = (await client.query(
      `SELECT ${this.#newestSql} AS seq;
       SELECT FROM fig_sequence WHERE capability = ${text(this.#capability)} FOR UPDATE;
       ${this.#moveSql(most)};
       SELECT last FROM fig_sequence WHERE capability = ${text(this.#capability)}`,
    )) as unknown as readonly QueryResult[];
    const found = Object.assign({}, ...results.map(({ rows }) => rows[0] as object)) as Omit<
      Moved,
      'oldest' | 'next'
    > & { readonly oldest: string; readonly next: string };
    return { ...found, oldest: BigInt(found.oldest), next: BigInt(found.next) };
  }

  get #newestSql(): string {
    return `coalesce(pg_sequence_last_value(
      pg_get_serial_sequence(${text(this.#capture)}, 'seq')::regclass), 0)`;
  }

  #moveSql(most: number | undefined): string {
    const capability = text(this.#capability);
    return `
      WITH bound AS MATERIALIZED (${this.#boundSql(most)}),
      begun AS (SELECT DISTINCT tx FROM ${this.#capture}, bound
        WHERE seq >= ${this.#floor} AND seq <= upto AND upto < ${NO_BOUND}),
      unfinished AS MATERIALIZED (SELECT DISTINCT c.tx FROM ${this.#capture} c, bound
        WHERE c.seq > upto AND upto < ${NO_BOUND} AND c.tx IN (SELECT tx FROM begun)),
      captured AS (DELETE FROM ${this.#capture}
        WHERE seq >= ${this.#floor} AND seq <= (SELECT upto FROM bound)
          AND tx NOT IN (SELECT tx FROM unfinished) RETURNING *),
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
        pg_current_xact_id()::text AS next, (SELECT count(*) FROM moved) AS count,
        (SELECT upto < ${NO_BOUND} FROM bound) AS cut`;
  }

  /** The sequence number up to which to look. */
  #boundSql(most: number | undefined): string {
    if (most === undefined) return `SELECT ${NO_BOUND} AS upto`;
    return `SELECT coalesce((SELECT seq FROM ${this.#capture} WHERE seq >= ${this.#floor}
      ORDER BY seq OFFSET ${most} LIMIT 1), ${NO_BOUND}) AS upto`;
  }

  /**
   * Rows that were moved leave their places behind until a vacuum, which may have to wait for a
   * backup, say: looking through them each time would take longer and longer. So it is remembered up
   * to where nothing can come any more: when all transactions are over that were under way at a mark.
   */
  #remember({ seq, oldest, next, cut }: Moved): void {
    // What was left is not yet to be passed over.
    if (this.#mark !== undefined && !cut && oldest >= this.#mark.next) {
      this.#floor = Math.max(this.#floor, this.#mark.seq + 1);
      this.#mark = undefined;
    }
    this.#mark ??= { next, seq };
  }
}
