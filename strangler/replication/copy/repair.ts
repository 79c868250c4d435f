import { setTimeout as delay } from 'node:timers/promises';
import { encodeKey } from '../../mapping/index.ts';
import type { RowName, SideDatabase } from '../../sides/side-database.ts';
import type { Repair } from './report.ts';

/** More than this is not damage but no copy at all, for which a backfill is the right tool. */
const MOST = 10_000;
/** Rows in one transaction of the owner, whose own writes wait for the same lock. */
const AT_ONCE = 100;
const PAUSE_MS = 4;

interface Doubtful {
  readonly row: RowName;
  readonly gone: boolean;
}

/** Rows of the owner that are to be brought over once more, each once. */
export class RowsToRepair {
  readonly #rows = new Map<string, Doubtful>();
  #left = 0;
  #queued = 0;

  /** @param gone whether the owner has none; where one of its pairs has, it has */
  add(row: RowName, gone: boolean): void {
    const named = `${row.table} ${encodeKey(row.key)}`;
    const known = this.#rows.get(named);
    if (this.#rows.size >= MOST && known === undefined) this.#left += 1;
    else this.#rows.set(named, { row, gone: gone && known?.gone !== false });
  }

  get done(): Repair {
    const queued = [...this.#rows.values()].slice(0, this.#queued);
    const removed = queued.filter(({ gone }) => gone).length;
    const left = this.#left + this.#rows.size - this.#queued;
    return { queued: this.#queued, removed, left };
  }

  /** Writes them into the owner's feed again; returns the last position, or null without any. */
  async reEmit(owner: SideDatabase): Promise<number | null> {
    const rows = [...this.#rows.values()].map(({ row }) => row);
    let last: number | null = null;
    for (let from = 0; from < rows.length; from += AT_ONCE) {
      const some = rows.slice(from, from + AT_ONCE);
      const position = await owner.reEmit(some);
      // Ownership has moved: the rest is for a comparison with the new owner.
      if (position === null) return last;
      last = position;
      this.#queued += some.length;
      await delay(PAUSE_MS);
    }
    return last;
  }
}
