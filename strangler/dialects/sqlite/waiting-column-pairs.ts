import { decodeRow, encodeRow, encodeValues } from '../../mapping/index.ts';
import type { Pair, PairKey, Row } from '../../mapping/index.ts';
import type { WaitingColumns } from '../../replication/shared-table.ts';
import type { Prepare } from './schema.ts';

/**
 * `WaitingColumns` of one write, in fig_waiting. Nothing is changed there before `save`: the row's own statement
 * may fail, and be tried again.
 */
export class WaitingColumnPairs implements WaitingColumns {
  readonly #prepare: Prepare;
  readonly #capability: string;
  readonly #changes: (() => void)[] = [];

  constructor(prepare: Prepare, capability: string) {
    this.#prepare = prepare;
    this.#capability = capability;
  }

  keep(columnPair: Pair, key: PairKey, image: Row): void {
    this.#changes.push(() => {
      this.#prepare(
        'REPLACE INTO fig_waiting (capability, pair, key, image) VALUES (?, ?, ?, ?)',
      ).run(...this.#named(columnPair, key), encodeRow(image));
    });
  }

  take(columnPair: Pair, key: PairKey): Row | undefined {
    const where = 'WHERE capability = ? AND pair = ? AND key = ?';
    const named = this.#named(columnPair, key);
    const image = this.#prepare(`SELECT image FROM fig_waiting ${where}`)
      .pluck()
      .get(...named);
    if (image === undefined) return undefined;
    this.#changes.push(() => {
      this.#prepare(`DELETE FROM fig_waiting ${where}`).run(...named);
    });
    return decodeRow(image as string);
  }

  save(): void {
    for (const change of this.#changes) change();
  }

  #named(columnPair: Pair, key: PairKey): readonly string[] {
    return [this.#capability, columnPair.name, encodeValues(key)];
  }
}
