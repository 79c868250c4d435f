import { otherSide } from '../../../routing/side.ts';
import type { SideName } from '../../../routing/side.ts';
import type { Change } from '../../ledger/store.ts';
import { pairWriteOf } from '../../replication/pair-write.ts';
import type { PairWrite } from '../../replication/pair-write.ts';
import type { PostgresClient } from './connection.ts';
import { passedImage, rowText } from './pass-through.ts';
import type { PassThrough } from './pass-through.ts';
import { prepared } from './prepared.ts';
import type { TableWrites } from './table-writes.ts';
import { passSql } from './write-sql.ts';

/**
 * Writes to a table that takes over what the owner's images say: the database reads them itself. Of
 * several changes of a row, the last counts. What JSON has no word for, goes the usual way.
 */
export class PassedWrites {
  readonly #client: PostgresClient;
  readonly #passThrough: PassThrough;
  readonly #source: SideName;
  readonly #newest = new Map<string, Change>();
  readonly #images: string[] = [];
  readonly #others: TableWrites;

  constructor(
    client: PostgresClient,
    side: SideName,
    passThrough: PassThrough,
    others: TableWrites,
  ) {
    this.#client = client;
    this.#passThrough = passThrough;
    this.#source = otherSide(side);
    this.#others = others;
  }

  /** @throws MappingError */
  pass(change: Change): void {
    this.#newest.set(rowText(this.#passThrough, this.#source, change), change);
  }

  async remove(): Promise<void> {
    const others: PairWrite[] = [];
    for (const change of this.#newest.values()) {
      const image = passedImage(change);
      if (image !== undefined) {
        this.#images.push(image);
        continue;
      }
      const write = pairWriteOf(this.#passThrough.pair, this.#source, change);
      if (write !== undefined) others.push(write);
    }
    await this.#others.add(others);
    await this.#others.remove();
  }

  async put(): Promise<void> {
    if (this.#images.length > 0) {
      const { table } = this.#passThrough.pair[otherSide(this.#source)];
      const json = `[${this.#images.join(',')}]`;
      await this.#client.query(prepared(passSql(table, this.#passThrough), [json]));
    }
    await this.#others.put();
  }
}
