import { decodeRow, encodeRow, encodeValues } from '../mapping/index.ts';
import type { Pair, PairKey, Row } from '../mapping/index.ts';
import type { SqliteConnection } from './connection.ts';

/** What guests have to say of rows that are not there yet, or are gone for the moment. */
export class WaitingGuests {
  readonly #db: SqliteConnection;
  readonly #capability: string;

  constructor(connection: SqliteConnection, capability: string) {
    this.#db = connection;
    this.#capability = capability;
  }

  /** Keeps a guest's columns until the anchor's row comes. */
  keep(guest: Pair, key: PairKey, image: Row): void {
    this.#db
      .write('REPLACE INTO fig_waiting (capability, pair, key, image) VALUES (?, ?, ?, ?)')
      .run(this.#capability, guest.name, encodeValues(key), encodeRow(image));
  }

  /** Gives back what was kept, and forgets it. */
  take(guest: Pair, key: PairKey): Row | undefined {
    const image = this.#db
      .write(
        `DELETE FROM fig_waiting WHERE capability = ? AND pair = ? AND key = ?
              RETURNING image`,
      )
      .pluck()
      .get(this.#capability, guest.name, encodeValues(key)) as string | undefined;
    return image === undefined ? undefined : decodeRow(image);
  }
}
