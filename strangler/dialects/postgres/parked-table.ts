import { decodeRow, encodeKey, encodeRow, fromAscii, toAscii } from '../../mapping/index.ts';
import { droppedText } from '../../parked/index.ts';
import type { ParkedChange, ParkedChanges } from '../../side-database.ts';
import type { PostgresClient, PostgresConnection } from './connection.ts';
import { demandReconcile } from './install.ts';

/** All but table names is kept as ASCII: the database may have an encoding of its own. */
const COLUMNS = 'id, root, tbl AS "table", key, op, image, position, reason, attempts, at';

type Stored = Omit<ParkedChange, 'key' | 'image'> & { key: string; image: string | null };

/** What others than the applier may do with parked changes. */
export class PostgresParkedChanges implements ParkedChanges {
  readonly #db: PostgresConnection;
  readonly #capability: string;

  constructor(connection: PostgresConnection, capability: string) {
    this.#db = connection;
    this.#capability = capability;
  }

  async list(): Promise<readonly ParkedChange[]> {
    const { rows } = await this.#db.query<Stored>(
      `SELECT ${COLUMNS} FROM fig_parked WHERE capability = $1 ORDER BY id`,
      [this.#capability],
    );
    return rows.map((row) => parkedOf(row));
  }

  async count(): Promise<number> {
    const { rows } = await this.#db.query<{ count: number }>(
      'SELECT count(*) AS count FROM fig_parked WHERE capability = $1',
      [this.#capability],
    );
    return rows[0]?.count ?? 0;
  }

  async skip(root: string): Promise<number> {
    return this.#db.transaction(async (client) => {
      const { rowCount } = await client.query(
        'DELETE FROM fig_parked WHERE capability = $1 AND root IN ($2, $3)',
        [this.#capability, root, toAscii(root)],
      );
      const dropped = rowCount ?? 0;
      if (dropped > 0) await demandReconcile(client, this.#capability, droppedText(toAscii(root)));
      return dropped;
    });
  }
}

function parkedOf(row: Stored): ParkedChange {
  return {
    ...row,
    root: fromAscii(row.root),
    key: decodeRow(row.key),
    image: row.image === null ? null : decodeRow(row.image),
    reason: row.reason === null ? null : fromAscii(row.reason),
  };
}

/** Where an earlier try of the same row had its place, so that a new one does not lose it. */
export interface Place {
  readonly id: number;
  readonly attempts: number;
}

interface Entry extends Place {
  readonly root: string;
  readonly row: string;
  readonly change: Omit<ParkedChange, 'id'>;
}

type Waiting = Pick<ParkedChange, 'table' | 'key'>;

/**
 * What is parked of one capability, known to one transaction of the target, which alone may add to
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
    const { rows } = await client.query<Stored>(
      `SELECT ${COLUMNS} FROM fig_parked WHERE capability = $1 ORDER BY id`,
      [capability],
    );
    const entries = rows.map((row) => ({
      id: row.id,
      attempts: row.attempts,
      root: toAscii(row.root),
      row: toAscii(`${row.table} ${row.key}`),
      change: parkedOf(row),
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
