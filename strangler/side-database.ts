import type { MappingProblem, Pair, PairKey, Row } from './mapping/index.ts';
import type { SideName } from './side.ts';
import type { Change, SideStore, Slice } from './store.ts';

/** A row of a pair on one side, under the key it shares with its partner. */
export interface PairRow {
  readonly key: PairKey;
  readonly row: Row;
}

/** Keyset reads of one pair's rows, in the byte order of their keys. */
export interface RowReader {
  /** At most `limit` rows of the pair with keys after `after`, or from the start. */
  rows(pair: Pair, after: PairKey | null, limit: number): readonly PairRow[];
  row(pair: Pair, key: PairKey): Row | undefined;
  /** The key of the row that many rows after a key; undefined when there are not so many. */
  keyAt(pair: Pair, after: PairKey | null, rows: number): PairKey | undefined;
  count(pair: Pair): number;
}

/** One moment of a side's database. */
export interface Snapshot extends RowReader {
  /** Last position of this side's own feed. */
  position(): number;
  /** How far the other side's feed has been applied here. */
  applied(): number;
  /** Keys of the pair that this side's feed names in after < position <= upto. */
  changedKeys(pair: Pair, after: number, upto: number): readonly PairKey[];
  /** The secret columns of a row; undefined when it is gone. */
  secrets(table: string, key: Row): Row | undefined;
  /** The newest change of a row at or below a position, if this side's feed still holds it. */
  changeAt(pair: Pair, key: PairKey, upto: number): Change | undefined;
}

/** How far one pair has been copied into a side. */
export interface BackfillState {
  readonly pair: string;
  /** The last key copied; null before the first. */
  readonly cursor: PairKey | null;
  readonly rows: number;
  /** Rows of the source when the pair was begun: for the progress shown, not for its end. */
  readonly total: number;
  readonly done: boolean;
  /** The source's position in the snapshot of the newest chunk. */
  readonly readyPosition: number;
  readonly startedAt: number;
  readonly at: number;
}

/** One transaction of a side that takes over the owner's rows. */
export interface Target extends RowReader {
  applied(): number;
  setApplied(position: number): void;
  /** Brings one of the owner's changes to this side, through the mapping. */
  apply(change: Change): void;
  /** Whether anything is parked here: then only `applyOrPark` keeps the order of aggregates. */
  anyParked(): boolean;
  /** Whether an error is the fault of the change alone, so that others can still be applied. */
  isPoison(error: unknown): boolean;
  /**
   * Applies a change, unless it can't be or comes after one of its aggregate that could not be;
   * then it is parked. @returns what was parked, or null
   */
  applyOrPark(change: Change): ParkedChange | null;
  /** Writes a pair's columns of one row, which is made when it is missing. */
  upsert(pair: Pair, key: PairKey, image: Row): void;
  remove(pair: Pair, key: PairKey): void;
  backfill(pair: Pair): BackfillState | undefined;
  saveBackfill(state: BackfillState): void;
  /**
   * Begins a new copy: this side is no whole one any more, and changes up to `position` need not
   * be applied, since all rows will be copied as they were then or later.
   */
  beginCopy(position: number): void;
  /** Says that this side holds a whole copy: everything applied from now on keeps it so. */
  setComplete(): void;
}

/** A change that could not be applied, or that came after such a one of the same aggregate. */
export interface ParkedChange {
  readonly id: number;
  /** The aggregate that it keeps back. */
  readonly root: string;
  readonly table: string;
  readonly key: Row;
  readonly op: Change['op'];
  /** Without secrets. */
  readonly image: Row | null;
  /** Its position in the feed. */
  readonly position: number;
  /** Why it can't be applied; null when it only waits behind another one. */
  readonly reason: string | null;
  /** How often it was tried. */
  readonly attempts: number;
  /** When it was parked, in ms since 1970. */
  readonly at: number;
}

/** Changes that are parked on the side they were to be applied to. */
export interface ParkedChanges {
  /** In the order in which they are to be applied. */
  list(): readonly ParkedChange[];
  count(): number;
  /** Forgets all that is parked for an aggregate; returns how many changes that were. */
  skip(root: string): Promise<number>;
}

/** A row of one side, by its table and key. */
export interface RowName {
  readonly table: string;
  readonly key: Row;
}

/** Changes are parked, so what was committed at the owner is not all on the other side. */
export class ParkedError extends Error {
  override readonly name = 'ParkedError';
}

/** What a side has been told of its installation. */
export interface Installation {
  readonly mappingHash: string;
  /** A new one with each installation: tells a database from its restored older self. */
  readonly incarnation: string;
  /** Whether the side is, or was when it last followed, a whole copy of the owner. */
  readonly complete: boolean;
}

/** One side's feed, read straight from the database: the log itself, whatever carries it. */
export interface FeedReader {
  /**
   * The changes after a position, to the end or to the last end of a transaction within `limit`.
   * @returns a slice without changes when there is nothing newer
   * @throws FeedLostError when the feed no longer, or never, held what comes after `after`
   */
  read(after: number, limit: number): Slice;
  last(): number;
  /** When the first change after a position was recorded; null when there is none. */
  recordedAt(after: number): number | null;
  /** Rows that are kept. */
  size(): number;
  /** Writes a numbered heartbeat, if this side is the owner; returns whether it is. */
  beat(): Promise<boolean>;
  /** Deletes up to `limit` rows at or below a position, never the newest; returns how many. */
  trim(upto: number, limit: number): Promise<number>;
}

/** The feed and what was applied of it do not belong together: only a new copy helps. */
export class FeedLostError extends Error {
  override readonly name = 'FeedLostError';
}

/** The side is the owner, or ownership has moved on: this applier's time is over. */
export class NotTargetError extends Error {
  override readonly name = 'NotTargetError';
}

/** A change that can't be brought to the other side. */
export class ApplyError extends Error {
  override readonly name = 'ApplyError';
  readonly position: number;
  /** Whether it is the fault of this change alone. */
  readonly poison: boolean;

  constructor(change: Change, cause: unknown, poison = false) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      `change ${change.position} (${change.op} ${change.table} ${JSON.stringify(change.key)}) ` +
        `can't be applied: ${reason}`,
      { cause },
    );
    this.position = change.position;
    this.poison = poison;
  }
}

/** A range of a pair's rows that was handled as a whole. */
export interface Piece {
  /** The owner's rows in it. */
  readonly rows: number;
  /** Its last key; null when it reaches to the end. */
  readonly last: PairKey | null;
  /** The owner's position at the moment of the look. */
  readonly position: number;
}

/**
 * Reaches both sides at once, so that whole ranges of rows are compared and copied inside the
 * database. It does only what is plain: where it answers null nothing has happened, and the range
 * must be handled row by row.
 */
export interface Bridge {
  /** A range of about `limit` rows in which both sides are equal; null when they may not be. */
  equal(pair: Pair, after: PairKey | null, limit: number): Piece | null;
  /** Like `SideDatabase.apply` of the target. */
  apply<T>(epoch: number, work: (target: Target) => T): Promise<T>;
  /** Makes a range of the target equal to the owner's; inside `apply` only. */
  copy(pair: Pair, after: PairKey | null, limit: number): Piece | null;
  /** Whether another process has written to the target a moment ago. */
  readonly crowded: boolean;
  close(): void;
}

/** What the engine needs from one side's database of one capability, whatever its dialect. */
export interface SideDatabase {
  readonly side: SideName;
  readonly store: SideStore;
  readonly feed: FeedReader;
  /** Puts tables and triggers in place, or up to date. @throws ConfigurationError */
  install(): Promise<void>;
  uninstall(): Promise<void>;
  /** What keeps the mapping from being used here. */
  problems(): Promise<readonly MappingProblem[]>;
  installation(): Promise<Installation | undefined>;
  /** Reads one moment of the database. `work` must not wait for anything. */
  snapshot<T>(work: (snapshot: Snapshot) => T): T;
  /**
   * One transaction as a target, under the fence row's lock. `work` must not wait for anything.
   * @throws NotTargetError unless the fence is not open and at `epoch`
   */
  apply<T>(epoch: number, work: (target: Target) => T, durable?: boolean): Promise<T>;
  /** Whether another process has written here a moment ago: whoever is alone need not pause. */
  readonly crowded: boolean;
  /** A bridge from the owner to this side; undefined where there is none between the two. */
  bridgeFrom(owner: SideDatabase): Bridge | undefined;
  /** Makes everything applied so far survive a power cut; returns its position. */
  settle(): Promise<number>;
  backfills(): Promise<readonly BackfillState[]>;
  saveReport(report: object, finishedAt: number): Promise<void>;
  lastReport(): Promise<unknown>;
  /** What could not be applied here. */
  readonly parked: ParkedChanges;
  /**
   * Writes rows into the feed again as they are now, under the fence's lock, in one transaction.
   * @returns the last position; null when this side is not the owner
   */
  requeue(rows: readonly RowName[]): Promise<number | null>;
  /** File to watch for new commits, where the dialect has one. */
  readonly watchable: string | null;
  close(): void;
}
