import type { SideName } from '../../../routing/side.ts';
import { otherSide } from '../../../routing/side.ts';
import { refusesDeletes } from '../../replication/cascades.ts';
import { MappingError, rootOf } from '../../mapping/index.ts';
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
  refuseUnlessTarget,
  saveBackfill,
  saveComplete,
  STANDING_SQL,
} from '../../ledger/index.ts';
import type { AppliedRow, Standing, Tx } from '../../ledger/index.ts';
import {
  asChange,
  asParked,
  copiedChange,
  isNameless,
  isRemoval,
} from '../../replication/parked/index.ts';
import type { Place } from '../../replication/parked/index.ts';
import type { Change, Followed } from '../../ledger/store.ts';
import { applyCascades, refuseOrphans } from './cascades.ts';
import type { SqliteConnection } from './connection.ts';
import { bound, sqlite, SqliteTx } from './ledger.ts';
import { ParkedTable } from './parked-table.ts';
import { AwaitedRows, SqliteRowReader } from './row-reader.ts';
import { SqliteRowWriter } from './row-writer.ts';
import { APPLYING } from './triggers.ts';

type Waiting = Pick<ParkedChange, 'table' | 'key'>;

/**
 * What a transaction of a target can do; lives as long as its connection. Applying is synchronous: a change
 * takes several statements, each of 2.5 µs, which would be 6 µs through the ledger's promises, and the box
 * of 0.75 ms would hold half as many.
 */
export class SqliteTarget extends AwaitedRows implements Target {
  readonly side: SideName;
  readonly #db: SqliteConnection;
  readonly #tx: Tx;
  readonly #capability: string;
  readonly #source: SideName;
  readonly #reader: SqliteRowReader;
  readonly #writer: SqliteRowWriter;
  readonly #parked: ParkedTable;
  readonly #mapping: Mapping;
  readonly #refuses: boolean;
  #complete = false;
  /** Deletes that had waited and are applied in this transaction: the cascades of their rows are due, too. */
  #settled: Change[] = [];

  constructor(connection: SqliteConnection, mapping: Mapping, side: SideName) {
    const reader = new SqliteRowReader((sql) => connection.write(sql), side);
    super(reader);
    this.#reader = reader;
    this.side = side;
    this.#db = connection;
    this.#tx = new SqliteTx((sql) => connection.write(sql));
    this.#mapping = mapping;
    this.#refuses = refusesDeletes(mapping, side);
    this.#capability = mapping.capability;
    this.#parked = new ParkedTable((sql) => connection.write(sql), mapping.capability);
    this.#source = otherSide(side);
    this.#writer = new SqliteRowWriter(connection, mapping, side);
  }

  /** Must be called at the start of each transaction. */
  begin(): this {
    this.#settled = [];
    this.#complete =
      this.#db
        .write('SELECT complete FROM fig_install WHERE capability = ?')
        .pluck()
        .get(this.#capability) === 1;
    return this;
  }

  async applied(): Promise<number> {
    return this.appliedNow();
  }

  appliedNow(): number {
    return this.followedNow().position;
  }

  followedNow(): Followed {
    const found = this.#db.write(FOLLOWED_SQL).get(bound([this.#capability, this.#source]));
    return followedOf(found as AppliedRow | undefined);
  }

  setFollowed(followed: Followed): void {
    const values = followValues(this.#capability, this.#source, followed);
    this.#db.write(FOLLOW_SQL).run(bound(values));
  }

  /** Brings one of the owner's changes to this side, through the mapping. */
  apply(change: Change): void {
    this.#writer.apply(change.op === 'refresh' ? asPlain(change) : change, !this.#complete);
    if (!this.#refuses) return;
    refuseOrphans((sql) => this.#db.write(sql), this.#mapping, this.side, change);
  }

  /** Whether anything is parked here: then only `applyOrPark` keeps the order of aggregates. */
  anyParked(): boolean {
    return this.#parked.any();
  }

  /** Whether an error is the fault of the change alone, so that others can still be applied. */
  isPoison(error: unknown): boolean {
    if (error instanceof MappingError) return true;
    const { code } = error as { code?: unknown };
    return /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG)/.test(String(code));
  }

  /**
   * Applies a change, unless it can't be or comes after one of its aggregate that could not be;
   * then it is parked. @returns what was parked, or null
   */
  applyOrPark(change: Change): ParkedChange | null {
    const nameless = isNameless(this.#mapping, this.#source, change);
    const known = this.#parked.rootOf(change as Waiting);
    // Asked for again, a row is as it is now, or it is gone: what is parked of it says nothing more.
    const newest = isRemoval(change) || change.op === 'refresh';
    const place = newest ? this.#parked.takeOut(change as Waiting) : null;
    if (!nameless) {
      const root = (isRemoval(change) ? known : undefined) ?? this.#rootOf(change);
      if (this.#parked.isBehind(root, change as Waiting, place)) {
        return this.#park(change, root, null, place);
      }
      const error = this.#within(() => this.apply(change));
      if (error !== null) return this.#park(change, root, error.message, place);
    }
    if (known !== undefined && isRemoval(change)) this.#settle(known);
    return null;
  }

  /** Applies deletes that only waited for what is gone now: no retry would come for them. */
  #settle(root: string): void {
    for (;;) {
      const first = this.#parked.firstOf(root);
      if (first === undefined || !isRemoval(first)) return;
      const change = asChange(first);
      if (this.#within(() => this.apply(change)) !== null) return;
      this.#parked.remove(first);
      this.#settled.push(change);
    }
  }

  /** Carries declared cascades of applied deletes out, in tables that do not move. */
  applyCascades(changes: readonly Change[], upto: number): void {
    const all = [...this.#settled, ...changes];
    applyCascades((sql) => this.#db.write(sql), this.#mapping, this.side, all, upto);
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
        parked.push(this.#parkRow(pair, write.source, error.message, position));
      });
    }
    return { seen, parked };
  }

  async park(
    pair: Pair,
    rows: readonly (readonly [row: Row, reason: string])[],
    position: number,
  ): Promise<readonly ParkedChange[]> {
    return rows.map(([row, reason]) => this.#parkRow(pair, row, reason, position));
  }

  async saveBackfill(state: BackfillState): Promise<void> {
    await saveBackfill(this.#tx, sqlite, this.#capability, state);
  }

  async beginCopy(from: Followed): Promise<void> {
    await forgetCopy(this.#tx, this.#capability);
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
    if (image === null) this.#writer.remove(pair, key);
    else this.#writer.upsert(pair, key, image, true);
  }

  /** In place of what may be parked of the row already: this is newer. */
  #parkRow(pair: Pair, row: Row, reason: string, position: number): ParkedChange {
    const change = copiedChange(this.#mapping, pair, this.#source, row, position);
    const place = this.#parked.takeOut(change as Waiting);
    return this.#park(change, this.#rootOf(change), reason, place);
  }

  #park(change: Change, root: string, reason: string | null, place: Place | null): ParkedChange {
    return this.#parked.add(
      asParked(this.#mapping, this.#source, change, root, reason, place),
      place,
    );
  }

  #rootOf(change: Change): string {
    const { table, image, key } = change;
    const known = this.#parked.rootOf(change as Waiting);
    if (known !== undefined) return known;
    const row = (image ?? key) as Row;
    const root = rootOf(this.#mapping, this.#source, table, row);
    if (typeof root === 'string') return root;
    return root.answer(this.#reader.row(root.pair, root.key));
  }

  async #saveComplete(complete: boolean): Promise<void> {
    await saveComplete(this.#tx, this.#capability, complete);
    this.#complete = complete;
  }
}

/**
 * Runs `work` as the target, in the caller's transaction, under the fence row's lock.
 * @throws NotTargetError unless the fence is not open and at `epoch`
 */
export function applyAtOnce<T>(
  connection: SqliteConnection,
  capability: string,
  epoch: number,
  target: SqliteTarget,
  work: (target: SqliteTarget) => T,
): T {
  beginAsTarget(connection, capability, epoch, target.side);
  const result = work(target.begin());
  endAsTarget(connection);
  return result;
}

/** The same for work that waits for promises that are settled already. */
export async function applyAsTarget<T>(
  connection: SqliteConnection,
  capability: string,
  epoch: number,
  target: SqliteTarget,
  work: (target: SqliteTarget) => Promise<T>,
): Promise<T> {
  beginAsTarget(connection, capability, epoch, target.side);
  const result = await work(target.begin());
  endAsTarget(connection);
  return result;
}

function beginAsTarget(
  connection: SqliteConnection,
  capability: string,
  epoch: number,
  side: SideName,
): void {
  const standing = connection.write(STANDING_SQL).get(bound([capability]));
  refuseUnlessTarget(standing as Standing | undefined, { capability, side, epoch });
  connection.write(`UPDATE main.fig_clock SET applying = ${APPLYING} WHERE id = 1`).run();
}

function endAsTarget(connection: SqliteConnection): void {
  connection.write('UPDATE main.fig_clock SET applying = 0 WHERE id = 1').run();
}

/** A row that was asked for again is written as any other, or is gone. */
function asPlain({ position, tx, table, key, image, epoch, at }: Change): Change {
  const op = image === null ? 'delete' : 'upsert';
  return { position, tx, table, key, op, image, epoch, at };
}
