import { decodeRow, encodeRow, encodeValues } from '../../mapping/index.ts';
import type { Pair, PairKey, Row } from '../../mapping/index.ts';
import type { SqliteConnection } from './connection.ts';

/** What column pairs have to say of rows that are not there yet, or are gone for the moment. */
export class WaitingColumnPairs {
  readonly #db: SqliteConnection;
  readonly #capability: string;

  constructor(connection: SqliteConnection, capability: string) {
    this.#db = connection;
    this.#capability = capability;
  }

  /** Keeps a column pair's columns until the base pair's row comes. */
  keep(columnPair: Pair, key: PairKey, image: Row): void {
    this.#db
      .write('REPLACE INTO fig_waiting (capability, pair, key, image) VALUES (?, ?, ?, ?)')
      .run(this.#capability, columnPair.name, encodeValues(key), encodeRow(image));
  }

  /** Gives back what was kept, and forgets it. */
  take(columnPair: Pair, key: PairKey): Row | undefined {
    const image = this.#db
      .write(
        `DELETE FROM fig_waiting WHERE capability = ? AND pair = ? AND key = ?
              RETURNING image`,
      )
      .pluck()
      .get(this.#capability, columnPair.name, encodeValues(key)) as string | undefined;
    return image === undefined ? undefined : decodeRow(image);
  }
}
