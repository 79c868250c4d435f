import type { Mapping, Pair, Row } from '../../mapping/index.ts';
import { forgetCopy, saveBackfill, saveComplete } from '../../ledger/index.ts';
import { pairWritesOf } from '../../replication/pair-write.ts';
import type { PairWrite } from '../../replication/pair-write.ts';
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
import { Parking } from './parking.ts';
import { isPoison, isUniqueViolation } from './poison.ts';
import { PostgresRowReader } from './row-reader.ts';
import { PostgresRowWriter } from './row-writer.ts';
import { CHECK_NOW, orTakenBack } from './savepoint.ts';
import type { Schemas } from './schema.ts';

/** What a transaction of a target has found when it began, under the fence's lock. */
export interface TargetState {
  readonly followed: Followed;
  /** Whether this side was a whole copy. */
  readonly complete: boolean;
  readonly anyParked: boolean;
}

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
  readonly #options: TargetOptions;
  readonly #tx: PostgresTx;
  readonly #writer: PostgresRowWriter;
  readonly #parking: Parking;

  constructor(options: TargetOptions) {
    const { client, mapping, side, schemas, found } = options;
    super(client, side, schemas);
    this.found = found;
    this.#options = options;
    this.#tx = new PostgresTx(client);
    this.#writer = new PostgresRowWriter(client, mapping, side, schemas);
    this.#parking = new Parking({
      ...options,
      reader: this,
      tryApply: (changes) => this.#tryApply(changes),
    });
  }

  async applied(): Promise<number> {
    return this.found.followed.position;
  }

  async setFollowed(followed: Followed): Promise<void> {
    await this.#options.client.query(this.#followSql(followed));
  }

  /** What was parked in this transaction. */
  get parked(): readonly ParkedChange[] {
    return this.#parking.parked;
  }

  /**
   * Brings changes of the owner to this side, all in one go, and the position up to which they reach.
   * @param upto left out where nothing is to stay @throws ApplyError
   */
  async applyAll(changes: readonly Change[], upto?: Followed): Promise<void> {
    try {
      await this.#writer.apply(changes);
      await refuseOrphans(this.#options, changes);
      const applied = upto === undefined ? [] : [this.#followSql(upto)];
      await this.#options.client.query([CHECK_NOW, ...applied].join('; '));
    } catch (error) {
      const [first] = changes;
      if (first === undefined || error instanceof ApplyError) throw error;
      throw new ApplyError(first, error, isPoison(error));
    }
  }

  /** The same with care, without the position: see `Parking`. */
  applyOrPark(changes: readonly Change[]): Promise<void> {
    return this.#parking.applyOrPark(changes);
  }

  /** Carries declared cascades of applied deletes out, in tables that do not move. */
  applyCascades(changes: readonly Change[]): Promise<void> {
    return applyCascades(this.#options, [...this.#parking.settled, ...changes]);
  }

  async bring(
    pair: Pair,
    writes: readonly (RowWrite | null)[],
    { position }: BringManner,
  ): Promise<Brought> {
    const wanted = writes.filter((write) => write !== null);
    const before = this.parked.length;
    for (const { source, refused } of wanted) {
      if (refused !== null) await this.#parking.parkRow(pair, source as Row, refused, position);
    }
    const carried = wanted.filter((write) => write.refused === null);
    await this.#bringSome(pair, carried, position);
    return { seen: writes.length, parked: this.parked.slice(before) };
  }

  async park(
    pair: Pair,
    rows: readonly (readonly [row: Row, reason: string])[],
    position: number,
  ): Promise<readonly ParkedChange[]> {
    const before = this.parked.length;
    for (const [row, reason] of rows) await this.#parking.parkRow(pair, row, reason, position);
    return this.parked.slice(before);
  }

  saveBackfill(state: BackfillState): Promise<void> {
    return saveBackfill(this.#tx, postgres, this.#options.mapping.capability, state);
  }

  async beginCopy(from: Followed): Promise<void> {
    const { capability } = this.#options.mapping;
    await forgetCopy(this.#tx, capability);
    await saveComplete(this.#tx, capability, false);
    await this.setFollowed(from);
  }

  setComplete(): Promise<void> {
    return saveComplete(this.#tx, this.#options.mapping.capability, true);
  }

  #followSql(followed: Followed): string {
    const { mapping, side } = this.#options;
    return followSql(mapping.capability, otherSide(side), followed);
  }

  /** Finds out by halves which rows can't be written, and parks them. */
  async #bringSome(pair: Pair, writes: readonly RowWrite[], position: number): Promise<void> {
    const [only] = writes;
    if (only === undefined) return;
    const all = writes.map(({ key, image }): PairWrite => ({ pair, key, image }));
    const error = await this.#orTakenBack(() =>
      all.length === 1 ? this.#writeOvertaking(all) : this.#writer.write(all),
    );
    if (error === null) return;
    if (writes.length > 1) {
      const half = Math.ceil(writes.length / 2);
      await this.#bringSome(pair, writes.slice(0, half), position);
      await this.#bringSome(pair, writes.slice(half), position);
      return;
    }
    if (only.source === undefined) throw error;
    await this.#parking.parkRow(pair, only.source, error, position);
  }

  /** @returns why nothing was done; null when all was */
  #tryApply(changes: readonly Change[]): Promise<unknown> {
    const { mapping, side } = this.#options;
    return this.#orTakenBack(async () => {
      const writes = changes.flatMap((change) => pairWritesOf(mapping, side, change));
      if (this.found.complete || changes.length > 1) await this.#writer.write(writes);
      else await this.#writeOvertaking(writes);
      await refuseOrphans(this.#options, changes);
    });
  }

  /**
   * Writes rows while a copy is being made: one of them may hold a unique value that another had
   * first, and which is newer. Its own change is still to come and restores it.
   */
  async #writeOvertaking(writes: readonly PairWrite[]): Promise<void> {
    const error = await this.#orTakenBack(() => this.#writer.write(writes));
    if (error === null) return;
    if (!isUniqueViolation(error)) throw error;
    for (const write of writes) {
      const refused = await this.#orTakenBack(() => this.#writer.write([write]));
      if (refused === null) continue;
      if (!isUniqueViolation(refused)) throw refused;
      await this.#writer.evictRivals(write);
      await this.#writer.write([write]);
    }
  }

  #orTakenBack(work: () => Promise<void>): Promise<unknown> {
    return orTakenBack(this.#options.client, work);
  }
}
