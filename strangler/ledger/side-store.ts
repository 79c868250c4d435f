import type { Fence } from '../../chassis/index.ts';
import { rowsOf } from '../ownership/fence-rows.ts';
import type { FenceRows, Keys } from '../ownership/fence-rows.ts';
import { tablesOf } from '../mapping/index.ts';
import type { Mapping } from '../mapping/index.ts';
import type { SideName } from '../../routing/side.ts';
import type {
  FenceMove,
  Followed,
  HandoverRecord,
  JournalEntry,
  Lease,
  LeaseView,
  PeerCheckpoint,
  PeerObservation,
  SideStore,
} from './store.ts';
import { readFollowed, saveFollowed } from './applied.ts';
import type { FeedEnd, Ledger, Tx } from './dialect.ts';
import { FenceTable } from './fences.ts';
import {
  addHandover,
  finishHandover,
  keysOf,
  recentHandovers,
  savePosition,
  unfinishedHandover,
} from './handovers.ts';
import { journalAll, journalNow, readJournal, readJournals } from './journal.ts';
import { acquireLease, isHeld, readLease, releaseLease, renewLease } from './leases.ts';
import { readPeer, savePeer } from './peer.ts';

/** `SideStore` over a ledger: each method is one transaction, and leases go by the database's clock. */
export class LedgerSideStore implements SideStore {
  readonly side: SideName;
  readonly #ledger: Ledger;
  readonly #feed: FeedEnd;
  readonly #mapping: Mapping;
  readonly #capability: string;
  readonly #fences: FenceTable;

  constructor(ledger: Ledger, feed: FeedEnd, mapping: Mapping, side: SideName) {
    this.side = side;
    this.#ledger = ledger;
    this.#feed = feed;
    this.#mapping = mapping;
    this.#capability = mapping.capability;
    this.#fences = new FenceTable(ledger, mapping.capability);
  }

  fence(): Promise<Fence> {
    return this.#fences.rest();
  }

  fences(): Promise<FenceRows> {
    return this.#fences.all();
  }

  split(keys: readonly string[], lease: Lease): Promise<boolean> {
    return this.#leased(lease, async (tx) => {
      await this.#fences.split(tx, keys);
      return true;
    });
  }

  async knownKeys(): Promise<readonly string[]> {
    const { cohortKey } = this.#mapping;
    if (cohortKey === undefined) return [];
    const { name, inBytes } = this.#ledger.dialect;
    const keys = tablesOf(this.#mapping, this.side).map(
      (table) => `SELECT CAST(${name(cohortKey[this.side])} AS TEXT) AS key FROM ${name(table)}`,
    );
    const rows = await this.#ledger.reads.all<{ key: string }>(
      `SELECT key FROM (${keys.join(' UNION ')}) k ORDER BY key ${inBytes}`,
    );
    return rows.map(({ key }) => key);
  }

  acquireLease(holder: string, ttlMs: number): Promise<Lease | null> {
    const { dialect } = this.#ledger;
    return this.#ledger.transaction((tx) =>
      acquireLease(tx, dialect, this.#capability, holder, ttlMs),
    );
  }

  /** Several times a second. A renewal that a power cut takes back makes the lease end earlier, which is safe. */
  renewLease(lease: Lease, ttlMs: number): Promise<boolean> {
    const { dialect } = this.#ledger;
    return this.#ledger.transaction((tx) => renewLease(tx, dialect, lease, ttlMs), {
      durable: false,
    });
  }

  releaseLease(lease: Lease): Promise<void> {
    return this.#ledger.transaction((tx) => releaseLease(tx, lease));
  }

  lease(): Promise<LeaseView | null> {
    return readLease(this.#ledger.reads, this.#capability);
  }

  peerObservation(): Promise<PeerObservation> {
    return readPeer(this.#ledger.reads, this.#capability);
  }

  saveCheckpoint(other: PeerCheckpoint, lease: Lease, atLeast: number): Promise<number | null> {
    const { dialect } = this.#ledger;
    return this.#ledger.transaction(async (tx) => {
      if (!(await isHeld(tx, dialect, lease))) return null;
      return savePeer(tx, dialect, this.#capability, other, atLeast);
    });
  }

  skipTo(position: number, lease: Lease): Promise<boolean> {
    return this.#leased(lease, async (tx) => {
      await this.#feed.skipTo(tx, position);
      return true;
    });
  }

  followFrom(followed: Followed, lease: Lease): Promise<boolean> {
    return this.#leased(lease, async (tx) => {
      await saveFollowed(tx, this.#capability, this.side, followed);
      return true;
    });
  }

  beginHandover(record: HandoverRecord, lease: Lease): Promise<boolean> {
    return this.#leased(lease, async (tx) => {
      if (!(await addHandover(tx, record))) return false;
      await this.#fences.split(tx, record.keys ?? []);
      return true;
    });
  }

  unfinishedHandover(): Promise<HandoverRecord | undefined> {
    return unfinishedHandover(this.#ledger.reads, this.#capability);
  }

  recentHandovers(limit: number): Promise<readonly HandoverRecord[]> {
    const { reads, dialect } = this.#ledger;
    return recentHandovers(reads, dialect, this.#capability, limit);
  }

  journal(handover: string): Promise<readonly JournalEntry[]> {
    return readJournal(this.#ledger.reads, handover);
  }

  journals(handovers: readonly string[]): Promise<readonly JournalEntry[]> {
    const { reads, dialect } = this.#ledger;
    return readJournals(reads, dialect, handovers);
  }

  step(
    entry: Omit<JournalEntry, 'at'>,
    lease: Lease,
    move?: FenceMove,
    before: readonly JournalEntry[] = [],
  ): Promise<boolean> {
    return this.#leased(lease, async (tx) => {
      if (move !== undefined && !(await this.#fences.move(tx, move))) return false;
      await journalAll(tx, before);
      await journalNow(tx, this.#ledger.dialect, entry);
      return true;
    });
  }

  recordPosition(handover: string, lease: Lease): Promise<number | null> {
    const record = async (tx: Tx): Promise<number | null> => {
      if (!(await isHeld(tx, this.#ledger.dialect, lease))) return null;
      const moving = await keysOf(tx, handover);
      const set = rowsOf(await this.#fences.of(tx, moving), moving);
      // Behind an open fence there is no last position yet.
      if (set.some(({ state }) => state === 'open')) return null;
      // Closing has waited for all who write, so whatever there will be is there by now.
      return savePosition(tx, handover, await this.#feed.last(tx));
    };
    return this.#ledger.transaction(record, { durable: this.#feed.assigns });
  }

  finishHandover(
    handover: string,
    outcome: 'done' | 'aborted',
    reason: string | null,
    lease: Lease,
    before: readonly JournalEntry[] = [],
  ): Promise<boolean> {
    return this.#leased(lease, async (tx) => {
      await journalAll(tx, before);
      const { dialect } = this.#ledger;
      const finished = await finishHandover(tx, dialect, handover, outcome, reason);
      if (finished && outcome === 'done') await this.#fences.merge(tx);
      return finished;
    });
  }

  openAsTarget(epoch: number, keys: Keys = null): Promise<boolean> {
    return this.#ledger.movingFences(this.#capability, async (tx) => {
      await this.#fences.split(tx, keys ?? []);
      const set = rowsOf(await this.#fences.of(tx, keys), keys);
      const pending = set.filter(({ state }) => state !== 'open');
      if (pending.length === 0) return set.some((fence) => fence.epoch === epoch);
      if (pending.some((fence) => fence.epoch >= epoch)) return false;
      const opened = pending.map(({ key }) => key);
      await this.#fences.set(tx, opened, { state: 'open', epoch });
      if (keys !== null) return true;
      // What still waited for a row of the old owner's waits for nothing now.
      await tx.run('DELETE FROM fig_waiting WHERE capability = $1', [this.#capability]);
      await this.#fences.merge(tx);
      return true;
    });
  }

  lastPosition(): Promise<number> {
    return this.#feed.assigns
      ? this.#ledger.transaction((tx) => this.#feed.last(tx))
      : this.#ledger.snapshot((tx) => this.#feed.last(tx));
  }

  async appliedPosition(): Promise<number> {
    return (await this.followed()).position;
  }

  followed(): Promise<Followed> {
    return readFollowed(this.#ledger.reads, this.#capability, this.side);
  }

  #leased(lease: Lease, work: (tx: Tx) => Promise<boolean>): Promise<boolean> {
    return this.#ledger.movingFences(
      this.#capability,
      async (tx) => (await isHeld(tx, this.#ledger.dialect, lease)) && work(tx),
    );
  }
}
