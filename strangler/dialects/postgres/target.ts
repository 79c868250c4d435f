import { rootOf, secretColumnsOf } from '../../mapping/index.ts';
import type { Mapping, Pair, Row } from '../../mapping/index.ts';
import { forgetCopy, saveBackfill, saveComplete } from '../../ledger/index.ts';
import {
  asChange,
  asParked,
  copiedChange,
  isNameless,
  isRemoval,
} from '../../replication/parked/index.ts';
import type { Place } from '../../replication/parked/index.ts';
import { ApplyError } from '../../sides/side-database.ts';
import type {
  BackfillState,
  BringManner,
  Brought,
  ParkedChange,
  RowWrite,
  Target,
} from '../../sides/side-database.ts';
import { otherSide } from '../../../routing/side.ts';
import type { SideName } from '../../../routing/side.ts';
import type { Change, Followed } from '../../ledger/store.ts';
import { followSql } from './applied-table.ts';
import { applyCascades, refuseOrphans } from './cascades.ts';
import type { PostgresClient } from './connection.ts';
import { postgres, PostgresTx } from './ledger.ts';
import type { PairWrite } from './pair-write.ts';
import { ParkedTable } from './parked-table.ts';
import { dependsOnOthers, isPoison, isUniqueViolation, reasonOf } from './poison.ts';
import { canHold, PostgresRowReader } from './row-reader.ts';
import { pairWritesOf, PostgresRowWriter } from './row-writer.ts';
import type { Schemas } from './schema.ts';

/** What a transaction of a target has found when it began, under the fence's lock. */
export interface TargetState {
  readonly followed: Followed;
  /** Whether this side was a whole copy. */
  readonly complete: boolean;
  readonly anyParked: boolean;
}

/**
 * A constraint that is left to the end of the transaction would refuse all of it, with nobody to blame, and
 * again each time.
 */
const CHECK_NOW = 'SET CONSTRAINTS ALL IMMEDIATE';

interface TargetOptions {
  readonly client: PostgresClient;
  readonly mapping: Mapping;
  readonly side: SideName;
  readonly schemas: Schemas;
  readonly found: TargetState;
}

/** One transaction of a target. */
export class PostgresTarget extends PostgresRowReader implements Target {
  readonly found: TargetState;
  readonly parked: ParkedChange[] = [];
  readonly #client: PostgresClient;
  readonly #mapping: Mapping;
  readonly #side: SideName;
  readonly #schemas: Schemas;
  readonly #writer: PostgresRowWriter;
  /** What was parked of rows that are asked for again had these places. */
  readonly #places = new Map<Change, Place | null>();
  /** Aggregates of rows that are gone, of which something was parked. */
  readonly #gone = new Map<Change, string>();
  /** Deletes that had waited and are applied now: the cascades of their rows are due, too. */
  readonly #settled: Change[] = [];
  #table: ParkedTable | undefined;

  constructor({ client, mapping, side, schemas, found }: TargetOptions) {
    super(client, side, schemas);
    this.found = found;
    this.#client = client;
    this.#mapping = mapping;
    this.#side = side;
    this.#schemas = schemas;
    this.#writer = new PostgresRowWriter(client, mapping, side, schemas);
  }

  async applied(): Promise<number> {
    return this.found.followed.position;
  }

  async setFollowed(followed: Followed): Promise<void> {
    await this.#client.query(this.#followSql(followed));
  }

  #followSql(followed: Followed): string {
    return followSql(this.#mapping.capability, otherSide(this.#side), followed);
  }

  /**
   * Brings changes of the owner to this side, all in one go, and the position up to which they reach.
   * @param upto left out where nothing is to stay @throws ApplyError
   */
  async applyAll(changes: readonly Change[], upto?: Followed): Promise<void> {
    try {
      await this.#writer.apply(changes);
      await refuseOrphans(this.#applying, changes);
      const applied = upto === undefined ? [] : [this.#followSql(upto)];
      await this.#client.query([CHECK_NOW, ...applied].join('; '));
    } catch (error) {
      const [first] = changes;
      if (first === undefined || error instanceof ApplyError) throw error;
      throw new ApplyError(first, error, isPoison(error));
    }
  }

  /**
   * The same with care: a change that can't be applied is parked, as is what comes after one of its
   * aggregate; the rest is still applied together.
   */
  async applyOrPark(changes: readonly Change[]): Promise<void> {
    this.#table ??= await ParkedTable.read(this.#client, this.#mapping.capability);
    let together: Change[] = [];
    for (const change of changes) {
      const asked = change.op === 'refresh';
      if (asked !== (together[0]?.op === 'refresh')) {
        await this.#applySome(together);
        together = [];
      }
      // Asked for again, a row is as it is now, and what is parked of it says nothing more.
      if (asked) this.#places.set(change, await this.#table.takeOut(named(change)));
      together.push(change);
    }
    await this.#applySome(together);
  }

  /** Carries declared cascades of applied deletes out, in tables that do not move. */
  applyCascades(changes: readonly Change[]): Promise<void> {
    return applyCascades(this.#applying, [...this.#settled, ...changes]);
  }

  async bring(
    pair: Pair,
    writes: readonly (RowWrite | null)[],
    { position }: BringManner,
  ): Promise<Brought> {
    const wanted = writes.filter((write) => write !== null);
    const before = this.parked.length;
    const refused = wanted.filter((write) => write.refused !== null);
    for (const { source, refused: reason } of refused) {
      await this.#parkRow(pair, source as Row, reason ?? '', position);
    }
    await this.#bringSome(
      pair,
      wanted.filter((write) => write.refused === null),
      position,
    );
    return { seen: writes.length, parked: this.parked.slice(before) };
  }

  async park(
    pair: Pair,
    rows: readonly (readonly [row: Row, reason: string])[],
    position: number,
  ): Promise<readonly ParkedChange[]> {
    const before = this.parked.length;
    for (const [row, reason] of rows) await this.#parkRow(pair, row, reason, position);
    return this.parked.slice(before);
  }

  saveBackfill(state: BackfillState): Promise<void> {
    return saveBackfill(this.#tx, postgres, this.#mapping.capability, state);
  }

  async beginCopy(from: Followed): Promise<void> {
    const { capability } = this.#mapping;
    await forgetCopy(this.#tx, capability);
    await saveComplete(this.#tx, capability, false);
    await this.setFollowed(from);
  }

  setComplete(): Promise<void> {
    return saveComplete(this.#tx, this.#mapping.capability, true);
  }

  /** Finds out by halves which rows can't be written, and parks them. */
  async #bringSome(pair: Pair, writes: readonly RowWrite[], position: number): Promise<void> {
    const [only] = writes;
    if (only === undefined) return;
    const all = writes.map(({ key, image }): PairWrite => ({ pair, key, image }));
    const error =
      writes.length === 1
        ? await this.#within(() => this.#writeOvertaking(all))
        : await this.#within(() => this.#writer.write(all));
    if (error === null) return;
    if (writes.length > 1) {
      const half = Math.ceil(writes.length / 2);
      await this.#bringSome(pair, writes.slice(0, half), position);
      await this.#bringSome(pair, writes.slice(half), position);
      return;
    }
    if (only.source === undefined) throw error;
    await this.#parkRow(
      pair,
      only.source,
      this.#reasonOf(pair[this.#source].table, error),
      position,
    );
  }

  /** In place of what may be parked of the row already: this is newer. */
  async #parkRow(pair: Pair, row: Row, reason: string, position: number): Promise<void> {
    this.#table ??= await ParkedTable.read(this.#client, this.#mapping.capability);
    const change = copiedChange(this.#mapping, pair, this.#source, row, position);
    const place = await this.#table.takeOut(named(change));
    await this.#park(change, await this.#rootOf(change), reason, place);
  }

  #isNameless(change: Change): boolean {
    return isNameless(this.#mapping, this.#source, change, (pair, key) =>
      canHold(this.#schemas, pair[this.#side].table, key),
    );
  }

  get #applying(): Parameters<typeof applyCascades>[0] {
    const [client, mapping, side, schemas] = [
      this.#client,
      this.#mapping,
      this.#side,
      this.#schemas,
    ];
    return { client, mapping, side, schemas };
  }

  get #tx(): PostgresTx {
    return new PostgresTx(this.#client);
  }

  get #source(): SideName {
    return otherSide(this.#side);
  }

  /**
   * Parks what comes after something parked, and finds out which others have to be. Changes of one
   * transaction may only fit together, such as values that rotate, so transactions are told apart before
   * they are taken apart, and what is poison by itself goes before the rest of its transaction is.
   * @param poison changes of one transaction that were found out, with their errors; null before that
   */
  async #applySome(
    changes: readonly Change[],
    poison: ReadonlyMap<Change, unknown> | null = null,
  ): Promise<void> {
    const free: Change[] = [];
    for (const change of changes) {
      const settling = isRemoval(change) ? await this.#takeOutGone(change) : undefined;
      if (this.#isNameless(change)) {
        if (settling !== undefined) await this.#settle(settling);
        continue;
      }
      const root = this.#table?.isEmpty === false ? (settling ?? (await this.#rootOf(change))) : '';
      const place = this.#placeOf(change);
      if (this.#table?.isBehind(root, named(change), place) === true) {
        await this.#park(change, root, null, place);
      } else if (poison?.has(change) === true) {
        await this.#parkPoison(change, poison.get(change));
      } else free.push(change);
    }
    const error = await this.#try(free);
    if (error === null) {
      for (const change of free) await this.#settle(this.#gone.get(change));
      return;
    }
    const [only] = free;
    if (only === undefined) return;
    if (free.length === 1) {
      await this.#parkPoison(only, error);
      return;
    }
    const end = endOfTransaction(free);
    if (end === undefined && poison === null) {
      await this.#applySome(free, await this.#poisonIn(free, error));
      return;
    }
    const half = end ?? Math.ceil(free.length / 2);
    const known = end === undefined ? poison : null;
    await this.#applySome(free.slice(0, half), known);
    await this.#applySome(free.slice(half), known);
  }

  /**
   * Of a row that is gone, what is parked says nothing more.
   * @returns the aggregate for which something was parked
   */
  async #takeOutGone(change: Change): Promise<string | undefined> {
    const root = this.#table?.rootOf(named(change));
    if (root !== undefined) {
      this.#gone.set(change, root);
      const place = await this.#table?.takeOut(named(change));
      if (this.#placeOf(change) === null) this.#places.set(change, place ?? null);
    }
    return this.#gone.get(change);
  }

  /** Deletes that only waited for what is gone now have nothing to wait for; nobody would ask for them again. */
  async #settle(root: string | undefined): Promise<void> {
    while (root !== undefined) {
      const first = this.#table?.firstOf(root);
      if (first === undefined || !isRemoval(first)) return;
      const change = asChange(first);
      if ((await this.#try([change])) !== null) return;
      await this.#table?.remove(first);
      this.#settled.push(change);
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
    const half = Math.ceil(changes.length / 2);
    const found: [Change, unknown][] = [];
    for (const some of [changes.slice(0, half), changes.slice(half)]) {
      await this.#client.query('SAVEPOINT fig_probe');
      const refused = await this.#try(some);
      await this.#client.query('ROLLBACK TO fig_probe; RELEASE fig_probe');
      found.push(...(await this.#poisonIn(some, refused)));
    }
    return new Map(found);
  }

  async #parkPoison(change: Change, error: unknown): Promise<void> {
    const reason = this.#reasonOf(change.table, error);
    await this.#park(change, await this.#rootOf(change), reason, this.#placeOf(change));
  }

  #placeOf(change: Change): Place | null {
    return this.#places.get(change) ?? null;
  }

  /** @returns why nothing was done; null when all was */
  async #try(changes: readonly Change[]): Promise<unknown> {
    if (changes.length === 0) return null;
    return this.#within(async () => {
      const writes = changes.flatMap((change) => pairWritesOf(this.#mapping, this.#side, change));
      if (this.found.complete || changes.length > 1) await this.#writer.write(writes);
      else await this.#writeOvertaking(writes);
      await refuseOrphans(this.#applying, changes);
    });
  }

  /**
   * Writes rows while a copy is being made: one of them may hold a unique value that another had
   * first, and which is newer. Its own change is still to come and restores it.
   */
  async #writeOvertaking(writes: readonly PairWrite[]): Promise<void> {
    const error = await this.#within(() => this.#writer.write(writes));
    if (error === null) return;
    if (!isUniqueViolation(error)) throw error;
    for (const write of writes) {
      const refused = await this.#within(() => this.#writer.write([write]));
      if (refused === null) continue;
      if (!isUniqueViolation(refused)) throw refused;
      await this.#writer.evictRivals(write);
      await this.#writer.write([write]);
    }
  }

  /** @returns the error of what was taken back; null when nothing was @throws what is no poison */
  async #within(work: () => Promise<void>): Promise<unknown> {
    await this.#client.query('SAVEPOINT fig_some; SET CONSTRAINTS ALL DEFERRED');
    try {
      await work();
      await this.#client.query(`${CHECK_NOW}; RELEASE fig_some`);
      return null;
    } catch (error) {
      if (!isPoison(error)) throw error;
      await this.#client.query('ROLLBACK TO fig_some; RELEASE fig_some');
      return error;
    }
  }

  async #park(
    change: Change,
    root: string,
    reason: string | null,
    place: Place | null,
  ): Promise<void> {
    const parked = asParked(this.#mapping, this.#source, change, root, reason, place);
    const added = await this.#table?.add(parked, place);
    if (added !== undefined) this.parked.push(added);
  }

  #reasonOf(table: string, error: unknown): string {
    const secrets = secretColumnsOf(this.#mapping, otherSide(this.#side), table);
    return reasonOf(error, { quoting: secrets.length === 0 });
  }

  async #rootOf(change: Change): Promise<string> {
    const known = this.#table?.rootOf(named(change));
    if (known !== undefined) return known;
    const { table, image, key } = change;
    const row = (image ?? key) as Row;
    const root = rootOf(this.#mapping, otherSide(this.#side), table, row);
    if (typeof root === 'string') return root;
    return root.answer(await this.row(root.pair, root.key));
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
