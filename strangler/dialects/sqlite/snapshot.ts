import type { SideName } from '../../../routing/side.ts';
import { readFollowed } from '../../ledger/index.ts';
import { compareKeys, decodeRow, secretColumnsOf, usableKeyOf } from '../../mapping/index.ts';
import type { Mapping, Pair, PairKey, Row } from '../../mapping/index.ts';
import type { ChangedKey, RowName, Snapshot } from '../../sides/side-database.ts';
import { PackedChange } from '../../replication/packed-change.ts';
import type { PackedRow } from '../../replication/packed-change.ts';
import type { Change } from '../../ledger/store.ts';
import type { SqliteConnection } from './connection.ts';
import { exactChanges, exactSelect, readExactly } from './exact-read.ts';
import { SqliteTx } from './ledger.ts';
import { AwaitedRows, SqliteRowReader } from './row-reader.ts';
import { feedTable } from './tables.ts';
import { freeColumns } from './schema.ts';
import { name } from './values.ts';

/** Changes looked through for a row's newest one: it is asked for rows that change all the time. */
const LOOK_BACK = 2_000;

/** Reads of one moment; valid inside `SqliteConnection.snapshot` only. */
export class SqliteSnapshot extends AwaitedRows implements Snapshot {
  readonly #db: SqliteConnection;
  readonly #mapping: Mapping;
  readonly #capability: string;
  readonly #side: SideName;
  readonly #feed: string;
  readonly #free = new Map<string, ReadonlySet<string>>();

  constructor(connection: SqliteConnection, mapping: Mapping, side: SideName) {
    super(new SqliteRowReader((sql) => connection.read(sql), side));
    this.#db = connection;
    this.#mapping = mapping;
    this.#capability = mapping.capability;
    this.#side = side;
    this.#feed = name(feedTable(mapping.capability));
  }

  async applied(): Promise<number> {
    const reads = new SqliteTx((sql) => this.#db.read(sql));
    return (await readFollowed(reads, this.#capability, this.#side)).position;
  }

  async last(): Promise<number> {
    const last = this.#db.read(`SELECT coalesce(max(position), 0) FROM ${this.#feed}`);
    return last.pluck().get() as number;
  }

  async changedSince(pair: Pair, after: number): Promise<readonly ChangedKey[]> {
    const changes = this.#db
      .read(
        `SELECT key, epoch, position FROM ${this.#feed} WHERE position > ? AND tbl = ? ORDER BY position`,
      )
      .all(after, pair[this.#side].table) as { key: string; epoch: number; position: number }[];
    return changes.flatMap(({ key: named, epoch, position }) => {
      const key = usableKeyOf(pair, this.#side, decodeRow(named));
      return key === undefined ? [] : [{ key, epoch, position }];
    });
  }

  async secrets(rows: readonly RowName[]): Promise<readonly (Row | undefined)[]> {
    return rows.map((row) => this.#secretsOf(row));
  }

  async changeAt(pair: Pair, key: PairKey, upto: number): Promise<Change | undefined> {
    const newest = this.#db
      .read(
        `SELECT position, tx, tbl, key, op, image, epoch, at FROM ${this.#feed}
             WHERE position <= ? AND tbl = ? ORDER BY position DESC LIMIT ${LOOK_BACK}`,
      )
      .raw()
      .iterate(upto, pair[this.#side].table) as IterableIterator<PackedRow>;
    for (const row of newest) {
      const change = new PackedChange(row);
      const own = usableKeyOf(pair, this.#side, change.key);
      if (own === undefined || compareKeys(own, key) !== 0) continue;
      newest.return?.();
      const [exact = row] = exactChanges((sql) => this.#db.read(sql), this.#feed, [row]);
      return new PackedChange(exact);
    }
    return undefined;
  }

  /** Looked up once, as the SQL of pairs is made once. */
  #freeColumns(table: string): ReadonlySet<string> {
    const known = this.#free.get(table) ?? freeColumns((sql) => this.#db.read(sql), table);
    this.#free.set(table, known);
    return known;
  }

  #secretsOf({ table, key }: RowName): Row | undefined {
    const columns = secretColumnsOf(this.#mapping, this.#side, table);
    const where = Object.keys(key).map((column) => `${name(column)} = ?`);
    const rest = `FROM ${name(table)} WHERE ${where.join(' AND ')}`;
    const select = exactSelect(columns, rest, this.#freeColumns(table));
    const [found] = readExactly((sql) => this.#db.read(sql), select, Object.values(key));
    return (
      found && Object.fromEntries(columns.map((column, index) => [column, found[index] ?? null]))
    );
  }
}
