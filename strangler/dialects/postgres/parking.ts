import { rootOf, secretColumnsOf } from '../../mapping/index.ts';
import type { Mapping, Pair, Row } from '../../mapping/index.ts';
import {
  asChange,
  asParked,
  copiedChange,
  isNameless,
  isRemoval,
} from '../../replication/parked/index.ts';
import type { Place } from '../../replication/parked/index.ts';
import type { ParkedChange, RowReader } from '../../sides/side-database.ts';
import { otherSide } from '../../../routing/side.ts';
import type { SideName } from '../../../routing/side.ts';
import type { Change } from '../../ledger/store.ts';
import type { PostgresClient } from './connection.ts';
import { ParkedTable } from './parked-table.ts';
import { dependsOnOthers, reasonOf } from './poison.ts';
import { canHold } from './row-reader.ts';
import type { Schemas } from './schema.ts';

interface ParkingOptions {
  readonly client: PostgresClient;
  readonly mapping: Mapping;
  readonly side: SideName;
  readonly schemas: Schemas;
  readonly reader: RowReader;
  /** Applies changes together. @returns why nothing was done; null when all was */
  readonly tryApply: (changes: readonly Change[]) => Promise<unknown>;
}

/**
 * Sets changes aside that can't be applied, each with what follows of its aggregate, within one transaction
 * of the target; what is free of them is applied together.
 */
export class Parking {
  /** What was parked in this transaction. */
  readonly parked: ParkedChange[] = [];
  /** Deletes that had waited and are applied now: the cascades of their rows are due, too. */
  readonly settled: Change[] = [];
  readonly #options: ParkingOptions;
  readonly #source: SideName;
  /** What was parked of rows that are asked for again had these places. */
  readonly #places = new Map<Change, Place | null>();
  /** Aggregates of rows that are gone, of which something was parked. */
  readonly #gone = new Map<Change, string>();
  #table: ParkedTable | undefined;

  constructor(options: ParkingOptions) {
    this.#options = options;
    this.#source = otherSide(options.side);
  }

  /** Applies changes in their order; what can't be applied is parked, as is what comes after one of its aggregate. */
  async applyOrPark(changes: readonly Change[]): Promise<void> {
    const table = await this.#read();
    let together: Change[] = [];
    for (const change of changes) {
      const asked = change.op === 'refresh';
      if (asked !== (together[0]?.op === 'refresh')) {
        await this.#applySome(table, together);
        together = [];
      }
      // Asked for again, a row is as it is now, and what is parked of it says nothing more.
      if (asked) this.#places.set(change, await table.takeOut(named(change)));
      together.push(change);
    }
    await this.#applySome(table, together);
  }

  /** Parks a row of the owner in place of what may be parked of it already: this is newer. */
  async parkRow(pair: Pair, row: Row, error: unknown, position: number): Promise<void> {
    const table = await this.#read();
    const change = copiedChange(this.#options.mapping, pair, this.#source, row, position);
    const place = await table.takeOut(named(change));
    const reason = typeof error === 'string' ? error : this.#reasonOf(change.table, error);
    await this.#park(table, change, await this.#rootOf(table, change), reason, place);
  }

  async #read(): Promise<ParkedTable> {
    const { client, mapping } = this.#options;
    return (this.#table ??= await ParkedTable.read(client, mapping.capability));
  }

  /**
   * Parks what comes after something parked, and finds out which others have to be. Changes of one
   * transaction may only fit together, such as values that rotate, so transactions are told apart before
   * they are taken apart, and what is poison by itself goes before the rest of its transaction is.
   * @param poison changes of one transaction that were found out, with their errors; null before that
   */
  async #applySome(
    table: ParkedTable,
    changes: readonly Change[],
    poison: ReadonlyMap<Change, unknown> | null = null,
  ): Promise<void> {
    const free: Change[] = [];
    for (const change of changes) {
      const settling = isRemoval(change) ? await this.#takeOutGone(table, change) : undefined;
      if (this.#isNameless(change)) {
        await this.#settle(table, settling);
        continue;
      }
      const root = table.isEmpty ? '' : (settling ?? (await this.#rootOf(table, change)));
      const place = this.#placeOf(change);
      if (table.isBehind(root, named(change), place)) {
        await this.#park(table, change, root, null, place);
      } else if (poison?.has(change) === true) {
        await this.#parkPoison(table, change, poison.get(change));
      } else free.push(change);
    }
    const error = await this.#try(free);
    if (error === null) {
      for (const change of free) await this.#settle(table, this.#gone.get(change));
      return;
    }
    const [only] = free;
    if (only === undefined) return;
    if (free.length === 1) {
      await this.#parkPoison(table, only, error);
      return;
    }
    const end = endOfTransaction(free);
    if (end === undefined && poison === null) {
      await this.#applySome(table, free, await this.#poisonIn(free, error));
      return;
    }
    const half = end ?? Math.ceil(free.length / 2);
    const known = end === undefined ? poison : null;
    await this.#applySome(table, free.slice(0, half), known);
    await this.#applySome(table, free.slice(half), known);
  }

  /**
   * Of a row that is gone, what is parked says nothing more.
   * @returns the aggregate for which something was parked
   */
  async #takeOutGone(table: ParkedTable, change: Change): Promise<string | undefined> {
    const root = table.rootOf(named(change));
    if (root !== undefined) {
      this.#gone.set(change, root);
      const place = await table.takeOut(named(change));
      if (this.#placeOf(change) === null) this.#places.set(change, place);
    }
    return this.#gone.get(change);
  }

  /** Deletes that only waited for what is gone now have nothing to wait for; nobody would ask for them again. */
  async #settle(table: ParkedTable, root: string | undefined): Promise<void> {
    while (root !== undefined) {
      const first = table.firstOf(root);
      if (first === undefined || !isRemoval(first)) return;
      const change = asChange(first);
      if ((await this.#try([change])) !== null) return;
      await table.remove(first);
      this.settled.push(change);
    }
  }

  /**
   * Finds out by halves which changes are refused whatever is written beside them; nothing is kept.
   * @param error why all of them together were refused
   */
  async #poisonIn(
    changes: readonly Change[],
    error: unknown,
  ): Promise<ReadonlyMap<Change, unknown>> {
    const [only] = changes;
    if (error === null || only === undefined || dependsOnOthers(error)) return new Map();
    if (changes.length === 1) return new Map([[only, error]]);
    const { client } = this.#options;
    const half = Math.ceil(changes.length / 2);
    const found: [Change, unknown][] = [];
    for (const some of [changes.slice(0, half), changes.slice(half)]) {
      await client.query('SAVEPOINT fig_probe');
      const refused = await this.#try(some);
      await client.query('ROLLBACK TO fig_probe; RELEASE fig_probe');
      found.push(...(await this.#poisonIn(some, refused)));
    }
    return new Map(found);
  }

  /** @returns why nothing was done; null when all was */
  async #try(changes: readonly Change[]): Promise<unknown> {
    return changes.length === 0 ? null : this.#options.tryApply(changes);
  }

  async #parkPoison(table: ParkedTable, change: Change, error: unknown): Promise<void> {
    const reason = this.#reasonOf(change.table, error);
    const root = await this.#rootOf(table, change);
    await this.#park(table, change, root, reason, this.#placeOf(change));
  }

  async #park(
    table: ParkedTable,
    change: Change,
    root: string,
    reason: string | null,
    place: Place | null,
  ): Promise<void> {
    const parked = asParked(this.#options.mapping, this.#source, change, root, reason, place);
    this.parked.push(await table.add(parked, place));
  }

  #placeOf(change: Change): Place | null {
    return this.#places.get(change) ?? null;
  }

  #isNameless(change: Change): boolean {
    const { mapping, side, schemas } = this.#options;
    return isNameless(mapping, this.#source, change, (pair, key) =>
      canHold(schemas, pair[side].table, key),
    );
  }

  #reasonOf(table: string, error: unknown): string {
    const secrets = secretColumnsOf(this.#options.mapping, this.#source, table);
    return reasonOf(error, { quoting: secrets.length === 0 });
  }

  async #rootOf(table: ParkedTable, change: Change): Promise<string> {
    const known = table.rootOf(named(change));
    if (known !== undefined) return known;
    const { image, key } = change;
    const root = rootOf(this.#options.mapping, this.#source, change.table, (image ?? key) as Row);
    if (typeof root === 'string') return root;
    return root.answer(await this.#options.reader.row(root.pair, root.key));
  }
}

/** Where one transaction ends and another begins, next to the middle; undefined within a single one. */
function endOfTransaction(changes: readonly Change[]): number | undefined {
  const middle = changes.length / 2;
  let found: number | undefined;
  for (let at = 1; at < changes.length; at += 1) {
    if (changes[at - 1]?.tx === changes[at]?.tx) continue;
    if (found === undefined || Math.abs(at - middle) < Math.abs(found - middle)) found = at;
  }
  return found;
}

function named({ table, key }: Change): { table: string; key: Row } {
  return { table, key: key as Row };
}
