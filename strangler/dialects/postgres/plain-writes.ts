import { encodeValues, keyOn, MappingError } from '../../mapping/index.ts';
import type { Pair, Row } from '../../mapping/index.ts';
import type { SideName } from '../../../routing/side.ts';
import { canDecide, columnsOf, dataOf } from './columns.ts';
import type { PostgresClient } from './connection.ts';
import type { PairWrite, PairWrites } from './pair-write.ts';
import { prepared } from './prepared.ts';
import type { Schemas } from './schema.ts';
import { deleteSql, updateOrInsertSql, upsertSql } from './write-sql.ts';
import type { Written } from './write-sql.ts';

/** Writes to a table whose rows have one pair each: of several for the same row, the last counts. */
export class PlainWrites implements PairWrites {
  readonly #client: PostgresClient;
  readonly #side: SideName;
  readonly #schemas: Schemas;
  readonly #writes = new Map<Pair, Map<string, PairWrite>>();

  constructor(client: PostgresClient, side: SideName, schemas: Schemas) {
    this.#client = client;
    this.#side = side;
    this.#schemas = schemas;
  }

  async load(): Promise<void> {}

  add(write: PairWrite): void {
    const known = this.#writes.get(write.pair) ?? new Map<string, PairWrite>();
    this.#writes.set(write.pair, known);
    known.set(encodeValues(write.key), write);
  }

  async remove(): Promise<void> {
    for (const [pair, writes] of this.#writes) {
      const gone = [...writes.values()].filter(({ image }) => image === null);
      const rows = gone.map(({ key }) => keyOn(pair, this.#side, key));
      if (rows.length === 0) continue;
      const { table } = pair[this.#side];
      const key = columnsOf(this.#schemas, table, Object.keys(rows[0] ?? {}));
      await this.#client.query(prepared(deleteSql({ table, key }), dataOf(key, rows)));
    }
  }

  async put(): Promise<void> {
    for (const [pair, writes] of this.#writes) {
      const there = [...writes.values()].filter(({ image }) => image !== null);
      if (there.length > 0) await this.#putPair(pair, there);
    }
  }

  async #putPair(pair: Pair, writes: readonly PairWrite[]): Promise<void> {
    const { table } = pair[this.#side];
    const where = writes.map(({ key }) => keyOn(pair, this.#side, key));
    const rows = writes.map(({ image }, index): Row => ({ ...image, ...where[index] }));
    const keys = Object.keys(where[0] ?? {});
    const rest = Object.keys(writes[0]?.image ?? {}).filter((column) => !keys.includes(column));
    const written: Written = {
      table,
      key: columnsOf(this.#schemas, table, keys),
      rest: columnsOf(this.#schemas, table, rest),
    };
    const data = dataOf([...written.key, ...written.rest], rows);
    if (canDecide(this.#schemas, table, keys)) {
      await this.#client.query(prepared(upsertSql(written), data));
      return;
    }
    const { rows: found } = await this.#client.query<{ twice: number }>(
      prepared(updateOrInsertSql(written), data),
    );
    if ((found[0]?.twice ?? 0) > 0) {
      throw new MappingError(`pair "${pair.name}": its key names several rows`);
    }
  }
}
