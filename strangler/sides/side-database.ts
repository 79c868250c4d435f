import { errorText } from '../../chassis/index.ts';
import type { MappingProblem, Pair, PairKey, Row } from '../mapping/index.ts';
import type { RowName } from '../row-name.ts';
import type { ShadowFence } from '../ownership/shadow-fence.ts';
import type { SideChecks } from './side-checks.ts';
import type { SideRetirement } from '../ownership/side-retirement.ts';
import type { SideName } from '../../routing/side.ts';
import type { Change, Followed, Lease, SideStore, Slice } from '../ledger/store.ts';

/** A row of a pair on one side, under the key it shares with its partner. */
export interface PairRow {
  readonly key: PairKey;
  readonly row: Row;
}

/** Keyset reads of one pair's rows, in the byte order of their keys, where these can be carried. */
export interface RowReader {
  /** At most `limit` rows of the pair with keys after `after`, or from the start. */
  rows(pair: Pair, after: PairKey | null, limit: number): Promise<readonly PairRow[]>;
  row(pair: Pair, key: PairKey): Promise<Row | undefined>;
  /** The key of the row that many rows after a key; undefined when there are not so many. */
  keyAt(pair: Pair, after: PairKey | null, rows: number): Promise<PairKey | undefined>;
  count(pair: Pair): Promise<number>;
  /**
   * Rows of the pair that can have no partner, since their key can't be carried: none of the other
   * methods names them.
   */
  unkeyed(pair: Pair, limit: number): Promise<readonly Row[]>;
}

export interface ChangedKey {
  readonly key: PairKey;
  /** At which this side was the owner. */
  readonly epoch: number;
  /** Null where the feed has given it none yet: it will be behind all others. */
  readonly position: number | null;
}

/** One moment of a side's database. */
export interface Snapshot extends RowReader {
  /** How far the other side's feed has been applied here. */
  applied(): Promise<number>;
  /** Last position of this side's feed. */
  last(): Promise<number>;
  /** Keys of the pair that this side's feed names between a position and this moment, in its order. */
  changedSince(pair: Pair, after: number): Promise<readonly ChangedKey[]>;
  /** The secret columns of rows, in their order; undefined for those that are gone. */
  secrets(rows: readonly RowName[]): Promise<readonly (Row | undefined)[]>;
  /** The newest change of a row at or below a position, if this side's feed still holds it. */
  changeAt(pair: Pair, key: PairKey, upto: number): Promise<Change | undefined>;
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

/** What a row of a pair is to be; without image it is to be gone. */
export interface RowWrite {
  readonly key: PairKey;
  readonly image: Row | null;
  /** The owner's row that it comes from; undefined for one that is to be gone. */
  readonly source: Row | undefined;
  /** Why the owner's row can't be carried; null where it can. */
  readonly refused: string | null;
}

/** What became of rows that were to be written. */
export interface Brought {
  /** How many were seen to. */
  readonly seen: number;
  readonly parked: readonly ParkedChange[];
}

/** How to bring rows. */
export interface BringManner {
  /** For how long to go on, in ms. */
  readonly boxMs: number;
  /** The owner's position at which its rows were read. */
  readonly position: number;
}

/** One transaction of a side that takes over the owner's rows. */
export interface Target extends RowReader {
  applied(): Promise<number>;
  /**
   * Writes a pair's columns of rows, which are made where they are missing, until `boxMs` have
   * passed. What is not to be written is null, and counts. A row that this side does not take is
   * parked by itself; the others are written.
   */
  bring(pair: Pair, writes: readonly (RowWrite | null)[], manner: BringManner): Promise<Brought>;
  /** Parks rows of the owner that can't be carried at all, each with the reason. */
  park(
    pair: Pair,
    rows: readonly (readonly [row: Row, reason: string])[],
    position: number,
  ): Promise<readonly ParkedChange[]>;
  saveBackfill(state: BackfillState): Promise<void>;
  /**
   * Begins a new copy: this side is no whole one any more, and changes up to that position need not
   * be applied, since all rows will be copied as they were then or later.
   */
  beginCopy(from: Followed): Promise<void>;
  /** Says that this side holds a whole copy: everything applied from now on keeps it so. */
  setComplete(): Promise<void>;
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
  list(): Promise<readonly ParkedChange[]>;
  count(): Promise<number>;
  /**
   * Forgets all that is parked for an aggregate; returns how many changes that were. The sides differ
   * there from now on, so the same transaction demands a full comparison.
   */
  skip(root: string): Promise<number>;
}

export type { RowName } from '../row-name.ts';

/** Changes are parked, so what was committed at the owner is not all on the other side. */
export class ParkedError extends Error {
  override readonly name = 'ParkedError';
}

/** What a side has been told of its installation. */
export interface Installation {
  readonly mappingHash: string;
  /** A new one with each installation: tells a database from one restored from its backup. */
  readonly incarnation: string;
  /** Whether the side is, or was when it last followed, a whole copy of the owner. */
  readonly complete: boolean;
}

/** Changes that the other side has not applied. */
export interface Pending {
  /** How many; beyond `COUNTED`, positions, among which there may be heartbeats. */
  readonly changes: number;
  /** When the first of them was recorded, in ms since 1970; null when there is none. */
  readonly since: number | null;
}

/** Changes that are counted one by one: a longer backlog is told by its positions. */
export const COUNTED = 10_000;

/** One side's feed, read straight from the database: the log itself, whatever carries it. */
export interface FeedReader {
  /**
   * The changes after a position, to the end or to the last end of a transaction within `limit`.
   * @returns a slice without changes when there is nothing newer
   * @throws FeedLostError when the feed no longer, or never, held what comes after `after`
   */
  read(after: number, limit: number): Promise<Slice>;
  /**
   * The last position.
   * @param enough a position that the caller makes do with: beyond it, the answer may be short of the end
   */
  last(enough?: number): Promise<number>;
  /** What of the business's writes follows a position; heartbeats are nobody's. */
  pending(after: number): Promise<Pending>;
  /** What tells the change at a position from any other; null where none is kept there. */
  markAt(position: number): Promise<string | null>;
  /** When the newest of the business's writes that are kept was recorded; null when there is none. */
  newest(): Promise<number | null>;
  /** Rows that are kept. */
  size(): Promise<number>;
  /**
   * Writes a numbered heartbeat, if this side is the owner and something has happened since the last
   * one, or that is `QUIET_BEAT_MS` ago.
   * @returns whether it is the owner
   */
  beat(): Promise<boolean>;
  /** Deletes up to `limit` rows at or below a position, never the newest; returns how many. */
  trim(upto: number, limit: number): Promise<number>;
}

/** How often a heartbeat is written while nothing else is, in ms. */
export const QUIET_BEAT_MS = 1_000;

/** The feed and what was applied of it do not belong together: only a new copy helps. */
export class FeedLostError extends Error {
  override readonly name = 'FeedLostError';
}

/** What follows a position is not in a side's feed. */
export function feedLost(capability: string, side: SideName, after: number): FeedLostError {
  return new FeedLostError(
    `the feed of ${capability} (${side}) does not hold what follows position ` +
      `${after}: a database was restored or its feed was cut; a new backfill is needed`,
  );
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
    const reason = errorText(cause);
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
export interface KeyRange {
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
export interface BulkCopy {
  /** A range of about `limit` rows in which both sides are equal; null when they may not be. */
  equal(pair: Pair, after: PairKey | null, limit: number): Promise<KeyRange | null>;
  /** Like `SideDatabase.apply` of the target. */
  apply<T>(epoch: number, work: (target: Target) => Promise<T>): Promise<T>;
  /** Makes a range of the target equal to the owner's; inside `apply` only. */
  copy(pair: Pair, after: PairKey | null, limit: number): Promise<KeyRange | null>;
  /** Whether another process has written to the target a moment ago. */
  readonly hasOtherWriters: boolean;
  close(): Promise<void>;
}

/** What one transaction of a target has made of a slice. */
export interface Applied {
  /** The applied position afterwards. */
  readonly position: number;
  /** What could not be applied, and is kept until somebody sees to it. */
  readonly parked: readonly ParkedChange[];
  /**
   * How long it kept the target's write lock, or its disk, from others, in ms; waiting for the lock is
   * nobody's burden.
   */
  readonly heldMs: number;
}

/**
 * Tells soon after another process has committed. A hint only: whoever needs to know for sure also
 * looks now and then.
 */
export interface CommitWatch {
  /** Starts watching, or starts again after the watch was lost. @returns whether commits are heard of */
  ensure(): boolean;
  close(): void;
}

/** What the engine needs from one side's database of one capability, whatever its dialect. */
export interface SideDatabase {
  readonly side: SideName;
  readonly store: SideStore;
  readonly feed: FeedReader;
  /** For the gates of a handover. */
  readonly checks: SideChecks;
  readonly shadowFence: ShadowFence;
  /** For the last step. */
  readonly retirement: SideRetirement;
  /** Puts tables and triggers in place, or up to date. @throws ConfigurationError */
  install(): Promise<void>;
  /** Adds to Fig's own tables what those of an earlier build lack; only whoever holds the lease may. */
  upgrade(): Promise<void>;
  /**
   * Takes tables and triggers out again.
   * @param lease without which nothing is done where another engine has taken over since
   * @returns whether they are out
   */
  uninstall(lease?: Lease): Promise<boolean>;
  /** What keeps the mapping from being used here. */
  problems(): Promise<readonly MappingProblem[]>;
  /** @throws ConfigurationError when a newer build has installed its own */
  installation(): Promise<Installation | undefined>;
  /**
   * Reads one moment of the database. `work` must not wait for anything but the snapshot: others
   * wait for its end.
   */
  snapshot<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T>;
  /**
   * One transaction as a target, under the fence row's lock. `work` must not wait for anything but
   * databases; where this side is a file, for no other database that is not.
   * @throws NotTargetError unless the fence is not open and at `epoch`
   */
  apply<T>(epoch: number, work: (target: Target) => Promise<T>, durable?: boolean): Promise<T>;
  /** How many changes a slice for this side should hold at the moment, where there are so many. */
  readonly sliceLimit: number;
  /**
   * Applies as much of a slice as fits into one short transaction, and with it the new position.
   * What was applied before is skipped; a slice that would leave a gap is not touched. A change that
   * can't be applied is parked with its aggregate, in the same transaction.
   * @param speedup how many times as long the transaction may be where the business writes, too
   * @throws NotTargetError when ownership has moved; ApplyError where no change is to blame
   */
  applySlice(epoch: number, slice: Slice, speedup?: number): Promise<Applied>;
  /** Whether another process has written here a moment ago: whoever is alone need not pause. */
  readonly hasOtherWriters: boolean;
  /** A bulk copy from the owner to this side; undefined where there is none between the two. */
  bulkCopyFrom(owner: SideDatabase): BulkCopy | undefined;
  /** Runs `work` while writers wait for it: whatever waits for this database is to hurry. */
  atHighPriority<T>(work: () => Promise<T>): Promise<T>;
  /** Makes everything applied so far survive a power cut; returns its position. */
  flush(): Promise<number>;
  backfills(): Promise<readonly BackfillState[]>;
  /** How many rows a second may be copied into this side; null: as many as can be. */
  copyLimit(): Promise<number | null>;
  saveCopyLimit(rowsPerSecond: number | null): Promise<void>;
  saveReport(report: object, finishedAt: number): Promise<void>;
  lastReport(): Promise<unknown>;
  /** What could not be applied here. */
  readonly parked: ParkedChanges;
  /**
   * Writes rows into the feed again as they are now, under the fence's lock, in one transaction.
   * @returns the last position; null when this side is not the owner
   */
  reEmit(rows: readonly RowName[]): Promise<number | null>;
  /**
   * Has `onCommit` called after others commit here; nothing happens before `ensure`.
   * @param onLost told once why commits are not heard of any more, and null when they are again
   */
  watch(onCommit: () => void, onLost?: (reason: string | null) => void): CommitWatch;
  close(): Promise<void>;
}
