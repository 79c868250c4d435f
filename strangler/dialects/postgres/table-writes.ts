import { encodeValues, keyOn, MappingError, sameValue } from '../../mapping/index.ts';
import type { Mapping, Pair, Row, SqlValue } from '../../mapping/index.ts';
import type { SideName } from '../../../routing/side.ts';
import type { PairWrite } from '../../replication/pair-write.ts';
import { SharedTable } from '../../replication/shared-table.ts';
import { canDecide, columnsOf, dataOf, dataSql, readSql, sameSql } from './columns.ts';
import type { PostgresClient } from './connection.ts';
import { prepared } from './prepared.ts';
import { rowOf } from './row-reader.ts';
import type { Column, Schemas } from './schema.ts';
import { name } from './values.ts';
import { WaitingColumnPairs } from './waiting-column-pairs.ts';
import { deleteSql, insertSql, updateOrInsertSql, updateSql, upsertSql } from './write-sql.ts';
import type { Written } from './write-sql.ts';

interface TableWritesOptions {
  readonly client: PostgresClient;
  readonly mapping: Mapping;
  readonly side: SideName;
  readonly schemas: Schemas;
  readonly table: string;
}

interface WrittenRow {
  readonly pair: Pair;
  /** Its key. */
  readonly where: Row;
  /** As it was read, which it is only where the table has column pairs; undefined where there is none. */
  readonly was: Row | undefined;
  /** Undefined where it is to be gone. */
  readonly now: Row | undefined;
}

type Alike = readonly [WrittenRow, ...WrittenRow[]];

/**
 * Writes to one table, gathered first and then carried out as sets of rows. Of several writes of a row the last
 * counts. Where rows are made of a base pair and column pairs, they are read, changed in memory as each
 * write says, and written back as they have come out: nobody else writes to this side.
 */
export class TableWrites {
  readonly #options: TableWritesOptions;
  readonly #shared: SharedTable | undefined;
  readonly #waiting: WaitingColumnPairs;
  readonly #rows = new Map<string, WrittenRow>();

  constructor(options: TableWritesOptions) {
    const { client, mapping, side, table } = options;
    this.#options = options;
    this.#shared = SharedTable.of(mapping, side, table);
    this.#waiting = new WaitingColumnPairs(client, mapping.capability);
  }

  /** To be called once. */
  async add(writes: readonly PairWrite[]): Promise<void> {
    if (this.#shared !== undefined) await this.#read(this.#shared, writes);
    for (const write of writes) this.#add(write);
  }

  /** Takes rows out, before others come that hold the same unique values. */
  async remove(): Promise<void> {
    const { client, table } = this.#options;
    const gone = this.#rowsThat(
      ({ was, now }) => now === undefined && (was !== undefined || this.#shared === undefined),
    );
    for (const rows of this.#alike(gone)) {
      const { key, data } = this.#keysOf(rows);
      await client.query(prepared(deleteSql({ table, key }), data));
    }
  }

  async put(): Promise<void> {
    if (this.#shared === undefined) {
      const there = this.#rowsThat(({ now }) => now !== undefined);
      await this.#write(there, (written) => this.#upsertSql(written));
      return;
    }
    const changed = this.#rowsThat(
      ({ was, now }) => was !== undefined && now !== undefined && !isSame(was, now),
    );
    const made = this.#rowsThat(({ was, now }) => was === undefined && now !== undefined);
    await this.#write(changed, updateSql);
    await this.#write(made, insertSql);
    await this.#waiting.save();
  }

  #add(write: PairWrite): void {
    const { pair, key, image } = write;
    const where = keyOn(pair, this.#options.side, key);
    if (this.#shared === undefined) {
      const now = image === null ? undefined : { ...where, ...image };
      this.#rows.set(`${pair.name} ${encodeValues(key)}`, { pair, where, was: undefined, now });
      return;
    }
    const named = nameOf(where);
    const known = this.#rows.get(named);
    const now = this.#shared.after(known?.now, write, this.#waiting);
    this.#rows.set(named, { pair, where, was: known?.was, now });
  }

  async #read(shared: SharedTable, writes: readonly PairWrite[]): Promise<void> {
    const { client, side, schemas, table } = this.#options;
    const asked = new Map<string, WrittenRow>();
    for (const { pair, key } of writes) {
      const where = keyOn(pair, side, key);
      asked.set(nameOf(where), { pair, where, was: undefined, now: undefined });
    }
    const columns = columnsOf(schemas, table, shared.columns);
    const read = columns.map((column) => readSql(column, 't'));
    for (const rows of this.#alike([...asked.values()])) {
      const { key, data } = this.#keysOf(rows);
      const { rows: found } = await client.query<SqlValue[]>({
        ...prepared(
          `SELECT d.nr, ${read.join(', ')} FROM (${dataSql(key)}) d
             JOIN ${name(table)} t ON ${sameSql(key, 't', 'd')}`,
          data,
        ),
        rowMode: 'array',
      });
      for (const [nr, ...values] of found) {
        const { pair, where } = rows[Number(nr) - 1] as WrittenRow;
        const row = rowOf(columns, values);
        this.#rows.set(nameOf(where), { pair, where, was: row, now: row });
      }
    }
    const waiting = [...asked.values()].flatMap(({ where }) => shared.waitingKeysOf(where));
    await this.#waiting.load(waiting);
  }

  async #write(rows: readonly WrittenRow[], sqlOf: (written: Written) => string): Promise<void> {
    const { client, schemas, table } = this.#options;
    for (const group of this.#alike(rows)) {
      const [{ pair, where, now = {} }] = group;
      const key = Object.keys(where);
      const rest = Object.keys(now).filter((column) => !key.includes(column));
      const written: Written = {
        table,
        key: columnsOf(schemas, table, key),
        rest: columnsOf(schemas, table, rest),
      };
      const data = dataOf(
        [...written.key, ...written.rest],
        group.map((row) => row.now as Row),
      );
      const { rows: found } = await client.query<{ twice?: number }>(
        prepared(sqlOf(written), data),
      );
      if ((found[0]?.twice ?? 0) > 0) {
        throw new MappingError(`pair "${pair.name}": its key names several rows`);
      }
    }
  }

  /** Rows of an `alike` group by their keys, as a statement's parameters. */
  #keysOf(rows: Alike): { readonly key: readonly Column[]; readonly data: (string | null)[][] } {
    const { schemas, table } = this.#options;
    const key = columnsOf(schemas, table, Object.keys(rows[0].where));
    const data = dataOf(
      key,
      rows.map(({ where }) => where),
    );
    return { key, data };
  }

  /** Puts rows with the same columns together, for one statement: where a pair has rows of its own, all of its. */
  #alike(rows: readonly WrittenRow[]): Iterable<Alike> {
    const groups = new Map<string, [WrittenRow, ...WrittenRow[]]>();
    for (const row of rows) {
      const { pair, where, now = {} } = row;
      const named =
        this.#shared === undefined
          ? pair.name
          : JSON.stringify([Object.keys(where), Object.keys(now)]);
      const group = groups.get(named);
      if (group === undefined) groups.set(named, [row]);
      else group.push(row);
    }
    return groups.values();
  }

  #upsertSql(written: Written): string {
    const { schemas, table } = this.#options;
    const key = written.key.map(({ name: column }) => column);
    return canDecide(schemas, table, key) ? upsertSql(written) : updateOrInsertSql(written);
  }

  #rowsThat(is: (row: WrittenRow) => boolean): readonly WrittenRow[] {
    return [...this.#rows.values()].filter((row) => is(row));
  }
}

function nameOf(where: Row): string {
  const columns = Object.keys(where).toSorted();
  return encodeValues([...columns, ...columns.map((column) => where[column] ?? null)]);
}

function isSame(was: Row, now: Row): boolean {
  return Object.entries(now).every(([column, value]) => sameValue(was[column] ?? null, value));
}
