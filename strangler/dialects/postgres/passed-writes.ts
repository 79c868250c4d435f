import { otherSide } from '../../../routing/side.ts';
import type { SideName } from '../../../routing/side.ts';
import type { Change } from '../../ledger/store.ts';
import type { PostgresClient } from './connection.ts';
import { pairWriteOf } from './pair-write.ts';
import type { TableWrites } from './pair-write.ts';
import { passedImage, rowText } from './pass-through.ts';
import type { PassThrough } from './pass-through.ts';
import { PlainWrites } from './plain-writes.ts';
import { prepared } from './prepared.ts';
import type { Schemas } from './schema.ts';
import { passSql } from './write-sql.ts';

/**
 * Writes to a table that takes over what the owner's images say: the database reads them itself. Of
 * several changes of a row, the last counts. What JSON has no word for, goes the usual way.
 */
export class PassedWrites implements TableWrites {
  readonly #client: PostgresClient;
  readonly #passThrough: PassThrough;
  readonly #source: SideName;
  readonly #newest = new Map<string, Change>();
  readonly #images: string[] = [];
  readonly #others: PlainWrites;

  constructor(client: PostgresClient, side: SideName, schemas: Schemas, passThrough: PassThrough) {
    this.#client = client;
    this.#passThrough = passThrough;
    this.#source = otherSide(side);
    this.#others = new PlainWrites(client, side, schemas);
  }

  /** @throws MappingError */
  pass(change: Change): void {
    this.#newest.set(rowText(this.#passThrough, this.#source, change), change);
  }

  async remove(): Promise<void> {
    for (const change of this.#newest.values()) {
      const image = passedImage(change);
      if (image !== undefined) {
        this.#images.push(image);
        continue;
      }
      const write = pairWriteOf(this.#passThrough.pair, this.#source, change);
      if (write !== undefined) this.#others.add(write);
    }
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
