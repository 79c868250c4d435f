import type { SideName } from '../side.ts';
import { otherSide } from '../side.ts';
import { decodeRow, pairKeyOf } from '../mapping/index.ts';
import type { Pair, PairKey } from '../mapping/index.ts';
import type { Snapshot } from '../side-database.ts';
import type { SqliteConnection } from './connection.ts';
import { SqliteRowReader } from './row-reader.ts';
import { feedTable } from './tables.ts';
import { name } from './values.ts';

/** Reads of one moment; valid inside `SqliteConnection.snapshot` only. */
export class SqliteSnapshot extends SqliteRowReader implements Snapshot {
  readonly #db: SqliteConnection;
  readonly #capability: string;
  readonly #side: SideName;
  readonly #feed: string;

  constructor(connection: SqliteConnection, capability: string, side: SideName) {
    super((sql) => connection.read(sql), side);
    this.#db = connection;
    this.#capability = capability;
    this.#side = side;
    this.#feed = name(feedTable(capability));
  }

  position(): number {
    return this.#db.read(`SELECT max(position) FROM ${this.#feed}`).pluck().get() as number;
  }

  applied(): number {
    const position = this.#db
      .read('SELECT position FROM fig_applied WHERE capability = ? AND feed_of = ?')
      .pluck()
      .get(this.#capability, otherSide(this.#side)) as number | undefined;
    return position ?? 0;
  }

  changedKeys(pair: Pair, after: number, upto: number): readonly PairKey[] {
    const keys = this.#db
      .read(`SELECT key FROM ${this.#feed} WHERE position > ? AND position <= ? AND tbl = ?`)
      .pluck()
      .all(after, upto, pair[this.#side].table) as string[];
    return keys
      .map((key) => pairKeyOf(pair, this.#side, decodeRow(key)))
      .filter((key) => key !== undefined);
  }
}
