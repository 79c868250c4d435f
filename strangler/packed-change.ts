import { decodeRow } from './mapping/index.ts';
import type { Row } from './mapping/index.ts';
import type { Change } from './store.ts';

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

/** A change that reads its key and image only when somebody asks: most only pass through. */
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
    return (this.#key ??= decodeRow(this.packed[3]));
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
