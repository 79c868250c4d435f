import type { Fence } from '../../chassis/index.ts';
import type { FenceRows, Keys } from '../ownership/fence-rows.ts';
import type { SideName } from '../../routing/side.ts';

/** One row change as the feed recorded it, in the owner's names and types. */
export interface Change {
  readonly position: number;
  /** Changes of one transaction share it; so may those of neighbours (see the SQLite capture). */
  readonly tx: number;
  readonly table: string;
  readonly key: Readonly<Record<string, unknown>>;
  /** `refresh` is the row as it was when somebody asked for it again; without image it was gone. */
  readonly op: 'upsert' | 'delete' | 'heartbeat' | 'refresh';
  readonly image: Readonly<Record<string, unknown>> | null;
  readonly epoch: number;
  /** When it was recorded, in ms since 1970 by the database's clock. */
  readonly at: number;
}

/** A contiguous piece of one capability's feed: every change with after < position <= upto. */
export interface Slice {
  readonly capability: string;
  readonly feedOf: SideName;
  readonly after: number;
  readonly upto: number;
  /** The mark of the change at `after`; null where the feed holds none there, left out where nobody has looked. */
  readonly before?: string | null;
  readonly changes: readonly Change[];
}

/** How far a side has followed the other one's feed. */
export interface Followed {
  readonly position: number;
  /** What tells the change at that position from any other; null where an earlier build kept none. */
  readonly mark: string | null;
}

/** A lease on one capability's handovers: whoever holds the newest token may act. */
export interface Lease {
  readonly capability: string;
  readonly holder: string;
  readonly token: number;
}

/** Whoever has, or last had, the right to act on a capability. */
export interface LeaseView {
  readonly holder: string;
  /** ms since 1970, by the database's clock. */
  readonly expiresAt: number;
}

/** What one database is told of the other one, again and again. */
export interface PeerCheckpoint {
  readonly incarnation: string;
  readonly pulse: number;
  readonly epoch: number;
}

/**
 * What a database remembers of itself and of the other one. Restored from a backup it remembers less
 * than the other one does of it, however much has been written since: only an engine saves checkpoints.
 */
export interface PeerObservation {
  /** How many checkpoints it was given. */
  readonly pulse: number;
  /** The other one, as of the last checkpoint; null before the first. */
  readonly other: PeerCheckpoint | null;
}

/** A handover as its source's database records it. */
export interface HandoverRecord {
  readonly id: string;
  readonly capability: string;
  readonly from: SideName;
  readonly to: SideName;
  /** The epoch at which the target opens. */
  readonly epoch: number;
  /** ms since 1970: after it, a handover that has not reached its commit point is taken back. */
  readonly deadline: number;
  /** The feed's last position, read after the close; null before. */
  readonly position: number | null;
  readonly outcome: 'done' | 'aborted' | null;
  readonly reason: string | null;
  readonly startedAt: number;
  readonly finishedAt: number | null;
  /** The keys that it moves; null: everything that the source still owns. */
  readonly keys: Keys;
}

/** A move of a handover's fences, all in one transaction. */
export interface FenceMove {
  /** An open fence may be older: each key has its own epoch until it moves. */
  readonly from: Fence;
  readonly to: Fence;
  /** Left out: everything that is in the state `from`. */
  readonly keys?: Keys;
}

export interface JournalEntry {
  readonly handover: string;
  readonly step: string;
  readonly at: number;
  readonly detail: string | null;
}

/**
 * One side's database of one capability, as the handover needs it. Every method is one
 * transaction; a method that takes a lease does nothing and returns false when the lease in this
 * database is held under a newer token. Fences move by compare-and-set.
 */
export interface SideStore {
  readonly side: SideName;
  /** The fence of the rest: of all keys that have none of their own. */
  fence(): Promise<Fence>;
  /** All fences, each key's own and that of the rest. */
  fences(): Promise<FenceRows>;
  /** Gives keys fences of their own, as copies of the rest's; changes no meaning. */
  split(keys: readonly string[], lease: Lease): Promise<boolean>;
  /** The keys that this side's tables hold rows of, in byte order; none where nothing moves by key. */
  knownKeys(): Promise<readonly string[]>;
  /** Takes the lease unless another holder's is alive; null when it is. */
  acquireLease(holder: string, ttlMs: number): Promise<Lease | null>;
  /** Makes a lease last from now on; false when it has run out, or is another's, or is gone. */
  renewLease(lease: Lease, ttlMs: number): Promise<boolean>;
  releaseLease(lease: Lease): Promise<void>;
  lease(): Promise<LeaseView | null>;
  peerObservation(): Promise<PeerObservation>;
  /**
   * Counts the own pulse up and remembers the other database, in one transaction that survives a
   * power cut: what the other one is told of it must not be forgotten here.
   * @param atLeast what the pulse has to exceed
   * @returns the pulse; null without the lease
   */
  saveCheckpoint(other: PeerCheckpoint, lease: Lease, atLeast: number): Promise<number | null>;
  /**
   * Has this side's feed go on above a position: after a backup was restored, positions that the
   * other side has applied already must not be given out again.
   */
  skipTo(position: number, lease: Lease): Promise<boolean>;
  /** Has this side go on with the other one's feed behind a position: a person has decided what is right. */
  followFrom(followed: Followed, lease: Lease): Promise<boolean>;
  /** Records a new handover, if none is unfinished, and gives its keys fences of their own. */
  beginHandover(record: HandoverRecord, lease: Lease): Promise<boolean>;
  /** The handover without an outcome, if any. */
  unfinishedHandover(): Promise<HandoverRecord | undefined>;
  recentHandovers(limit: number): Promise<readonly HandoverRecord[]>;
  journal(handover: string): Promise<readonly JournalEntry[]>;
  /** The steps of several handovers, in the order in which they were journalled. */
  journals(handovers: readonly string[]): Promise<readonly JournalEntry[]>;
  /**
   * Journals a step of a handover, and moves the fence in the same transaction where one is given.
   * @param before steps that were taken before it and are not journalled yet
   */
  step(
    entry: Omit<JournalEntry, 'at'>,
    lease: Lease,
    move?: FenceMove,
    before?: readonly JournalEntry[],
  ): Promise<boolean>;
  /**
   * Keeps the feed's last position as the handover's, in one transaction. It need not survive a
   * power cut before the next step does: behind a closed fence it will be the same again.
   */
  recordPosition(handover: string, lease: Lease): Promise<number | null>;
  finishHandover(
    handover: string,
    outcome: 'done' | 'aborted',
    reason: string | null,
    lease: Lease,
    before?: readonly JournalEntry[],
  ): Promise<boolean>;
  /**
   * Opens this side as a handover's target: closed or ceded below `epoch` -> open at `epoch`. Once it
   * owns everything, no key needs a fence of its own any more.
   */
  openAsTarget(epoch: number, keys?: Keys): Promise<boolean>;
  /** Last position of this side's own feed. */
  lastPosition(): Promise<number>;
  /** How far the other side's feed has been applied here. */
  appliedPosition(): Promise<number>;
  /** The same, with what tells that feed from a restored one. */
  followed(): Promise<Followed>;
}
