import { otherSide } from '../../../routing/side.ts';
import type { SideName } from '../../../routing/side.ts';
import { rootOf } from '../../mapping/index.ts';
import type { Mapping, Pair, Row } from '../../mapping/index.ts';
import type { Change } from '../../ledger/store.ts';
import {
  asChange,
  asParked,
  copiedChange,
  isNameless,
  isRemoval,
} from '../../replication/parked/index.ts';
import type { Place } from '../../replication/parked/index.ts';
import type { ParkedChange } from '../../sides/side-database.ts';
import { ParkedTable } from './parked-table.ts';
import type { SqliteRowReader } from './row-reader.ts';
import type { Prepare } from './schema.ts';

type Waiting = Pick<ParkedChange, 'table' | 'key'>;

interface ParkingOptions {
  readonly prepare: Prepare;
  readonly mapping: Mapping;
  readonly side: SideName;
  readonly reader: SqliteRowReader;
  /** Applies a change. @returns why it was taken back; null when it was not */
  readonly tryApply: (change: Change) => Error | null;
}

/** Sets changes aside that can't be applied, each with what follows of its aggregate. */
export class Parking {
  readonly #mapping: Mapping;
  readonly #source: SideName;
  readonly #reader: SqliteRowReader;
  readonly #tryApply: ParkingOptions['tryApply'];
  readonly #table: ParkedTable;
  /** Deletes that had waited and are applied in this transaction: the cascades of their rows are due, too. */
  settled: readonly Change[] = [];

  constructor({ prepare, mapping, side, reader, tryApply }: ParkingOptions) {
    this.#mapping = mapping;
    this.#source = otherSide(side);
    this.#reader = reader;
    this.#tryApply = tryApply;
    this.#table = new ParkedTable(prepare, mapping.capability);
  }

  /** Whether anything is parked here: then only `applyOrPark` keeps the order of aggregates. */
  any(): boolean {
    return this.#table.any();
  }

  /**
   * Applies a change, unless it can't be or comes after one of its aggregate that could not be;
   * then it is parked. @returns what was parked, or null
   */
  applyOrPark(change: Change): ParkedChange | null {
    const nameless = isNameless(this.#mapping, this.#source, change);
    const known = this.#table.rootOf(change as Waiting);
    // Asked for again, a row is as it is now, or it is gone: what is parked of it says nothing more.
    const newest = isRemoval(change) || change.op === 'refresh';
    const place = newest ? this.#table.takeOut(change as Waiting) : null;
    if (!nameless) {
      const root = (isRemoval(change) ? known : undefined) ?? this.#rootOf(change);
      if (this.#table.isBehind(root, change as Waiting, place)) {
        return this.#park(change, root, null, place);
      }
      const error = this.#tryApply(change);
      if (error !== null) return this.#park(change, root, error.message, place);
    }
    if (known !== undefined && isRemoval(change)) this.#settle(known);
    return null;
  }

  /** Parks a row of the owner in place of what may be parked of it already: this is newer. */
  parkRow(pair: Pair, row: Row, reason: string, position: number): ParkedChange {
    const change = copiedChange(this.#mapping, pair, this.#source, row, position);
    const place = this.#table.takeOut(change as Waiting);
    return this.#park(change, this.#rootOf(change), reason, place);
  }

  /** Applies deletes that only waited for what is gone now: no retry would come for them. */
  #settle(root: string): void {
    for (;;) {
      const first = this.#table.firstOf(root);
      if (first === undefined || !isRemoval(first)) return;
      const change = asChange(first);
      if (this.#tryApply(change) !== null) return;
      this.#table.remove(first);
      this.settled = [...this.settled, change];
    }
  }

  #park(change: Change, root: string, reason: string | null, place: Place | null): ParkedChange {
    return this.#table.add(
      asParked(this.#mapping, this.#source, change, root, reason, place),
      place,
    );
  }

  #rootOf(change: Change): string {
    const { table, image, key } = change;
    const known = this.#table.rootOf(change as Waiting);
    if (known !== undefined) return known;
    const root = rootOf(this.#mapping, this.#source, table, (image ?? key) as Row);
    if (typeof root === 'string') return root;
    return root.answer(this.#reader.row(root.pair, root.key));
  }
}
