import { decodeKey, decodeRow } from '../mapping/index.ts';
import type { Row } from '../mapping/index.ts';
import type { Change } from '../ledger/store.ts';

/** A row of a feed as it lies in its table, and as it travels. */
export type PackedRow = readonly [
  position: number,
  tx: number,
  table: string,
  key: string,
  op: Change['op'],
  image: string | null,
  epoch: number,
  at: number,
];

/** A change that reads its key and image only when a caller asks for them: most only pass through. */
export class PackedChange implements Change {
  readonly packed: PackedRow;
  readonly position: number;
  readonly tx: number;
  readonly op: Change['op'];
  #key: Row | undefined;
  #image: Row | null | undefined;

  constructor(packed: PackedRow) {
    this.packed = packed;
    this.position = packed[0];
    this.tx = packed[1];
    this.op = packed[4];
  }

  get table(): string {
    return this.packed[2];
  }

  get key(): Row {
    return (this.#key ??= decodeKey(this.packed[3]));
  }

  get image(): Row | null {
    const json = this.packed[5];
    return (this.#image ??= json === null ? null : decodeRow(json));
  }

  get epoch(): number {
    return this.packed[6];
  }

  get at(): number {
    return this.packed[7];
  }
}

/**
 * How many of the rows make whole transactions. All of them do when there are no more: a snapshot
 * ends where a transaction ended. A group of more rows than `limit` is cut, since a slice must fit
 * into memory, a queue and a short transaction; the side it goes to is not the owner, and shows a
 * part of it for a moment.
 */
export function wholeTransactions(rows: readonly PackedRow[], limit: number): number {
  if (rows.length <= limit) return rows.length;
  for (let end = limit; end > 0; end -= 1) {
    if (rows[end]?.[1] !== rows[end - 1]?.[1]) return end;
  }
  return limit;
}
