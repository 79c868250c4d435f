import { parkedOf, parkedRows } from '../../ledger/index.ts';
import { encodeKey, encodeRow, toAscii } from '../../mapping/index.ts';
import type { Place } from '../../replication/parked/index.ts';
import type { ParkedChange } from '../../sides/side-database.ts';
import type { PostgresClient } from './connection.ts';
import { postgres, PostgresTx } from './ledger.ts';

interface Entry extends Place {
  readonly root: string;
  readonly row: string;
  readonly change: Omit<ParkedChange, 'id'>;
}

type Waiting = Pick<ParkedChange, 'table' | 'key'>;

/**
 * What is parked of one capability, all but table names in ASCII. It is known to one transaction of the target, which alone may add to
 * it: so it is read once, and asked without waiting.
 */
export class ParkedTable {
  readonly #client: PostgresClient;
  readonly #capability: string;
  #entries: readonly Entry[];

  private constructor(client: PostgresClient, capability: string, entries: readonly Entry[]) {
    this.#client = client;
    this.#capability = capability;
    this.#entries = entries;
  }

  static async read(client: PostgresClient, capability: string): Promise<ParkedTable> {
    const rows = await parkedRows(new PostgresTx(client), capability);
    const entries = rows.map((row) => ({
      id: row.id,
      attempts: row.attempts,
      root: toAscii(row.root),
      row: toAscii(`${row.table} ${row.key}`),
      change: parkedOf(row, postgres),
    }));
    return new ParkedTable(client, capability, entries);
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** Whether something is parked that has to be applied before a change of this row. */
  isBehind(root: string, change: Waiting, place: Place | null): boolean {
    const row = nameOf(change);
    const name = toAscii(root);
    return this.#entries.some(
      (entry) => (entry.root === name || entry.row === row) && !(place && entry.id >= place.id),
    );
  }

  /** Takes out what is parked of one row, and says which place that had. */
  async takeOut(change: Waiting): Promise<Place | null> {
    const row = nameOf(change);
    const own = this.#entries.filter((entry) => entry.row === row);
    const [place] = own;
    if (place === undefined) return null;
    this.#entries = this.#entries.filter((entry) => entry.row !== row);
    await this.#client.query('DELETE FROM fig_parked WHERE id = ANY ($1)', [
      own.map(({ id }) => id),
    ]);
    return place;
  }

  /** What has to be applied before all else of an aggregate. */
  firstOf(root: string): ParkedChange | undefined {
    const name = toAscii(root);
    const first = this.#entries.find((entry) => entry.root === name);
    return first && { ...first.change, id: first.id };
  }

  async remove({ id }: Pick<ParkedChange, 'id'>): Promise<void> {
    this.#entries = this.#entries.filter((entry) => entry.id !== id);
    await this.#client.query('DELETE FROM fig_parked WHERE id = $1', [id]);
  }

  /** What was parked for a row's aggregate under the name the row had then. */
  rootOf(change: Waiting): string | undefined {
    const row = nameOf(change);
    return this.#entries.find((entry) => entry.row === row)?.root;
  }

  async add(change: Omit<ParkedChange, 'id'>, place: Place | null): Promise<ParkedChange> {
    const { root, table, key, op, image, position, reason, attempts, at } = change;
    const values = [
      this.#capability,
      toAscii(root),
      table,
      toAscii(encodeKey(key)),
      op,
      image === null ? null : toAscii(encodeRow(image)),
      position,
      reason === null ? null : toAscii(reason),
      attempts,
      at,
    ];
    const columns = 'capability, root, tbl, key, op, image, position, reason, attempts, at';
    const { rows } = await this.#client.query<{ id: number }>(
      place === null
        ? `INSERT INTO fig_parked (${columns})
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id`
        : `INSERT INTO fig_parked (${columns}, id) OVERRIDING SYSTEM VALUE
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id`,
      place === null ? values : [...values, place.id],
    );
    const id = rows[0]?.id ?? 0;
    const entry: Entry = { id, attempts, root: toAscii(root), row: nameOf(change), change };
    this.#entries = [...this.#entries, entry].sort((left, right) => left.id - right.id);
    return { ...change, id };
  }
}

function nameOf({ table, key }: Waiting): string {
  return toAscii(`${table} ${encodeKey(key)}`);
}
