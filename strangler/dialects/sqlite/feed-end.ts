import type { FeedEnd, Tx } from '../../ledger/index.ts';
import { feedTable, NOW_SQL } from './tables.ts';
import { name } from './values.ts';

/** The end of a feed whose triggers give the positions out. */
export class SqliteFeedEnd implements FeedEnd {
  readonly assigns = false;
  readonly #capability: string;
  readonly #feed: string;

  constructor(capability: string) {
    this.#capability = capability;
    this.#feed = name(feedTable(capability));
  }

  async last(tx: Tx): Promise<number> {
    const newest = await tx.get<{ last: number }>(
      `SELECT max(position) AS last FROM ${this.#feed}`,
    );
    return newest?.last ?? 0;
  }

  async skipTo(tx: Tx, position: number): Promise<void> {
    await tx.run(
      `INSERT INTO ${this.#feed} (position, tx, tbl, key, op, image, epoch, at)
         SELECT $2 + 1, tx, '', '{}', 'heartbeat', NULL, epoch, ${NOW_SQL}
         FROM fig_clock JOIN fig_fence ON capability = $1 AND key = '*'
         WHERE id = 1 AND (SELECT max(position) FROM ${this.#feed}) <= $2`,
      [this.#capability, position],
    );
  }
}
