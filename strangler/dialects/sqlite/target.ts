import type { SideName } from '../../../routing/side.ts';
import { otherSide } from '../../../routing/side.ts';
import { refusesDeletes } from '../../replication/cascades.ts';
import { pairWritesOf } from '../../replication/pair-write.ts';
import { MappingError } from '../../mapping/index.ts';
import type { Mapping, Pair, Row } from '../../mapping/index.ts';
import type {
  BackfillState,
  BringManner,
  Brought,
  ParkedChange,
  RowWrite,
  Target,
} from '../../sides/side-database.ts';
import {
  FOLLOWED_SQL,
  followedOf,
  FOLLOW_SQL,
  followValues,
  forgetCopy,
  saveBackfill,
  saveComplete,
} from '../../ledger/index.ts';
import type { AppliedRow, Tx } from '../../ledger/index.ts';
import type { Change, Followed } from '../../ledger/store.ts';
import { applyCascades, refuseOrphans } from './cascades.ts';
import type { SqliteConnection } from './connection.ts';
import { bound, sqlite, SqliteTx } from './ledger.ts';
import { Parking } from './parking.ts';
import { AwaitedRows, SqliteRowReader } from './row-reader.ts';
import { SqliteRowWriter } from './row-writer.ts';
import type { Prepare } from './schema.ts';

/**
 * What a transaction of a target can do; lives as long as its connection. Applying is synchronous: a change
 * takes several statements, each of 2.5 µs, which would be 6 µs through the ledger's promises, and the box
 * of 0.75 ms would hold half as many.
 */
export class SqliteTarget extends AwaitedRows implements Target {
  readonly side: SideName;
  readonly #db: SqliteConnection;
  readonly #prepare: Prepare;
  readonly #tx: Tx;
  readonly #source: SideName;
  readonly #writer: SqliteRowWriter;
  readonly #parking: Parking;
  readonly #mapping: Mapping;
  readonly #refuses: boolean;
  #complete = false;

  constructor(connection: SqliteConnection, mapping: Mapping, side: SideName) {
    const prepare: Prepare = (sql) => connection.write(sql);
    const reader = new SqliteRowReader(prepare, side);
    super(reader);
    this.side = side;
    this.#db = connection;
    this.#prepare = prepare;
    this.#tx = new SqliteTx(prepare);
    this.#mapping = mapping;
    this.#refuses = refusesDeletes(mapping, side);
    this.#source = otherSide(side);
    this.#writer = new SqliteRowWriter(prepare, mapping, side);
    const tryApply = (change: Change): Error | null => this.#within(() => this.apply(change));
    this.#parking = new Parking({ prepare, mapping, side, reader, tryApply });
  }

  /** Must be called at the start of each transaction. */
  begin(): this {
    this.#parking.settled = [];
    this.#complete =
      this.#prepare('SELECT complete FROM fig_install WHERE capability = ?')
        .pluck()
        .get(this.#mapping.capability) === 1;
    return this;
  }

  async applied(): Promise<number> {
    return this.appliedNow();
  }

  appliedNow(): number {
    return this.followedNow().position;
  }

  followedNow(): Followed {
    const values = bound([this.#mapping.capability, this.#source]);
    return followedOf(this.#prepare(FOLLOWED_SQL).get(values) as AppliedRow | undefined);
  }

  setFollowed(followed: Followed): void {
    const values = followValues(this.#mapping.capability, this.#source, followed);
    this.#prepare(FOLLOW_SQL).run(bound(values));
  }

  /** Brings one of the owner's changes to this side, through the mapping. */
  apply(change: Change): void {
    for (const write of pairWritesOf(this.#mapping, this.side, change)) {
      this.#writer.write(write, !this.#complete);
    }
    if (this.#refuses) refuseOrphans(this.#prepare, this.#mapping, this.side, change);
  }

  /** Whether anything is parked here: then only `applyOrPark` keeps the order of aggregates. */
  anyParked(): boolean {
    return this.#parking.any();
  }

  /** See `Parking`. */
  applyOrPark(change: Change): ParkedChange | null {
    return this.#parking.applyOrPark(change);
  }

  /** Whether an error is the fault of the change alone, so that others can still be applied. */
  isPoison(error: unknown): boolean {
    if (error instanceof MappingError) return true;
    const { code } = error as { code?: unknown };
    return /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG)/.test(String(code));
  }

  /** Carries declared cascades of applied deletes out, in tables that do not move. */
  applyCascades(changes: readonly Change[], upto: number): void {
    const all = [...this.#parking.settled, ...changes];
    applyCascades(this.#prepare, this.#mapping, this.side, all, upto);
  }

  async bring(
    pair: Pair,
    writes: readonly (RowWrite | null)[],
    { boxMs, position }: BringManner,
  ): Promise<Brought> {
    const started = performance.now();
    const parked: ParkedChange[] = [];
    const until = (bringOne: (write: RowWrite) => void): number => {
      let seen = 0;
      for (const write of writes) {
        if (write !== null) bringOne(write);
        seen += 1;
        if (performance.now() - started > boxMs) break;
      }
      return seen;
    };
    let seen = 0;
    const failed = this.#within(() => {
      seen = until((write) => this.#bringOne(pair, write));
    });
    if (failed !== null) {
      seen = until((write) => {
        const error = this.#within(() => this.#bringOne(pair, write));
        if (error === null) return;
        if (write.source === undefined) throw error;
        parked.push(this.#parking.parkRow(pair, write.source, error.message, position));
      });
    }
    return { seen, parked };
  }

  async park(
    pair: Pair,
    rows: readonly (readonly [row: Row, reason: string])[],
    position: number,
  ): Promise<readonly ParkedChange[]> {
    return rows.map(([row, reason]) => this.#parking.parkRow(pair, row, reason, position));
  }

  async saveBackfill(state: BackfillState): Promise<void> {
    await saveBackfill(this.#tx, sqlite, this.#mapping.capability, state);
  }

  async beginCopy(from: Followed): Promise<void> {
    await forgetCopy(this.#tx, this.#mapping.capability);
    await this.#saveComplete(false);
    this.setFollowed(from);
  }

  async setComplete(): Promise<void> {
    await this.#saveComplete(true);
  }

  /** @returns the error of what was taken back; null when nothing was @throws what is no poison */
  #within(work: () => void): Error | null {
    this.#db.execute('SAVEPOINT fig_some');
    try {
      work();
      this.#db.execute('RELEASE fig_some');
      return null;
    } catch (error) {
      if (!this.isPoison(error)) throw error;
      this.#db.execute('ROLLBACK TO fig_some');
      this.#db.execute('RELEASE fig_some');
      return error as Error;
    }
  }

  #bringOne(pair: Pair, { key, image, refused }: RowWrite): void {
    if (refused !== null) throw new MappingError(refused);
    this.#writer.write({ pair, key, image }, true);
  }

  async #saveComplete(complete: boolean): Promise<void> {
    await saveComplete(this.#tx, this.#mapping.capability, complete);
    this.#complete = complete;
  }
}
