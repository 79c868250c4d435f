import type { Fence } from '../../../chassis/index.ts';
import { otherSide } from '../../side.ts';
import type { SideName } from '../../side.ts';
import { decodeKeys, encodeKeys, rowsOf } from '../../fence-rows.ts';
import type { FenceRows, Keys } from '../../fence-rows.ts';
import type { Mapping } from '../../mapping/index.ts';
import { peerObservationOf, recordOf } from '../../store.ts';
import type {
  PeerObservation,
  FenceMove,
  PeerCheckpoint,
  HandoverRecord,
  HandoverRow,
  JournalEntry,
  Lease,
  LeaseView,
  PeerRow,
  SideStore,
  Followed,
} from '../../store.ts';
import { readFollowed, writeFollowed } from './applied-table.ts';
import type { SqliteConnection } from './connection.ts';
import { knownKeysSql } from './cohort-sql.ts';
import { FenceTable } from './fence-table.ts';
import { feedTable } from './tables.ts';
import { name } from './values.ts';

const COLUMNS = `id, capability, from_side AS "from", to_side AS "to", epoch, deadline, position,
  outcome, reason, started_at AS startedAt, finished_at AS finishedAt, keys`;
/** `SideStore` on SQLite. Each method is one transaction; it survives a power cut where it must. */
export class SqliteSideStore implements SideStore {
  readonly side: SideName;
  readonly #db: SqliteConnection;
  readonly #capability: string;
  readonly #mapping: Mapping;
  readonly #last: string;
  readonly #fences: FenceTable;

  constructor(connection: SqliteConnection, mapping: Mapping, side: SideName) {
    const { capability } = mapping;
    this.side = side;
    this.#mapping = mapping;
    this.#db = connection;
    this.#capability = capability;
    this.#fences = new FenceTable(connection, capability);
    this.#last = `SELECT max(position) FROM ${name(feedTable(capability))}`;
  }

  fence(): Promise<Fence> {
    return this.#reading(() => this.#fences.rest());
  }

  fences(): Promise<FenceRows> {
    return this.#reading(() => this.#fences.all());
  }

  split(keys: readonly string[], lease: Lease): Promise<boolean> {
    return this.#leased(lease, () => {
      this.#fences.split(keys);
      return true;
    });
  }

  knownKeys(): Promise<readonly string[]> {
    const sql = knownKeysSql(this.#mapping, this.side);
    if (sql === null) return Promise.resolve([]);
    return this.#reading(() => this.#db.read(sql).pluck().all() as string[]);
  }

  acquireLease(holder: string, ttlMs: number): Promise<Lease | null> {
    return this.#db.transaction(() => {
      const now = Date.now();
      const known = this.#db
        .write('SELECT holder, token, expires_at AS expiresAt FROM fig_lease WHERE capability = ?')
        .get(this.#capability) as { holder: string; token: number; expiresAt: number } | undefined;
      const alive = known !== undefined && known.expiresAt > now;
      if (alive && known.holder !== holder) return null;
      const token = alive ? known.token : (known?.token ?? 0) + 1;
      this.#db
        .write(
          `INSERT INTO fig_lease (capability, holder, token, expires_at) VALUES (?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET holder = excluded.holder, token = excluded.token,
                  expires_at = excluded.expires_at`,
        )
        .run(this.#capability, holder, token, now + ttlMs);
      return { capability: this.#capability, holder, token };
    });
  }

  renewLease({ token }: Lease, ttlMs: number): Promise<boolean> {
    return this.#db.transaction(() => {
      const now = Date.now();
      const renewed = this.#db.write(
        'UPDATE fig_lease SET expires_at = ? WHERE capability = ? AND token = ? AND expires_at > ?',
      );
      return renewed.run(now + ttlMs, this.#capability, token, now).changes === 1;
    });
  }

  async releaseLease(lease: Lease): Promise<void> {
    await this.#db.transaction(() =>
      this.#db
        .write('UPDATE fig_lease SET expires_at = 0 WHERE capability = ? AND token = ?')
        .run(this.#capability, lease.token),
    );
  }

  lease(): Promise<LeaseView | null> {
    return this.#reading(() => {
      const found = this.#db
        .read('SELECT holder, expires_at AS expiresAt FROM fig_lease WHERE capability = ?')
        .get(this.#capability) as LeaseView | undefined;
      return found ?? null;
    });
  }

  peerObservation(): Promise<PeerObservation> {
    return this.#reading(() => {
      const found = this.#db
        .read(
          `SELECT pulse, other AS incarnation, other_pulse AS otherPulse, other_epoch AS epoch
               FROM fig_peer WHERE capability = ?`,
        )
        .get(this.#capability) as PeerRow | undefined;
      return peerObservationOf(found);
    });
  }

  saveCheckpoint(other: PeerCheckpoint, lease: Lease, atLeast: number): Promise<number | null> {
    const { incarnation, pulse, epoch } = other;
    return this.#db.transaction(() => {
      if (!this.#holds(lease)) return null;
      return this.#db
        .write(
          `INSERT INTO fig_peer (capability, pulse, other, other_pulse, other_epoch)
                VALUES (?, ? + 1, ?, ?, ?)
                ON CONFLICT DO UPDATE SET pulse = max(pulse + 1, excluded.pulse),
                  other = excluded.other, other_pulse = excluded.other_pulse,
                  other_epoch = excluded.other_epoch
                RETURNING pulse`,
        )
        .pluck()
        .get(this.#capability, atLeast, incarnation, pulse, epoch) as number;
    });
  }

  skipTo(position: number, lease: Lease): Promise<boolean> {
    const feed = name(feedTable(this.#capability));
    return this.#leased(lease, () => {
      this.#db
        .write(
          `INSERT INTO ${feed} (position, tx, tbl, key, op, image, epoch, at)
                SELECT ? + 1, tx, '', '{}', 'heartbeat', NULL, epoch, ?
                FROM fig_clock JOIN fig_fence ON capability = ? AND key = '*'
                WHERE id = 1 AND (${this.#last}) <= ?`,
        )
        .run(position, Date.now(), this.#capability, position);
      return true;
    });
  }

  followFrom(followed: Followed, lease: Lease): Promise<boolean> {
    return this.#leased(lease, () => {
      const write = (sql: string): ReturnType<SqliteConnection['write']> => this.#db.write(sql);
      writeFollowed(write, this.#capability, otherSide(this.side), followed);
      return true;
    });
  }

  beginHandover(record: HandoverRecord, lease: Lease): Promise<boolean> {
    return this.#leased(lease, () => {
      if (this.#unfinished((sql) => this.#db.write(sql)) !== undefined) return false;
      this.#db
        .write(
          `INSERT INTO fig_handover (id, capability, from_side, to_side, epoch, deadline,
                  position, outcome, reason, started_at, finished_at, keys)
                VALUES (@id, @capability, @from, @to, @epoch, @deadline, @position, @outcome,
                  @reason, @startedAt, @finishedAt, @keys)`,
        )
        .run({ ...record, keys: encodeKeys(record.keys) });
      this.#fences.split(record.keys ?? []);
      return true;
    });
  }

  unfinishedHandover(): Promise<HandoverRecord | undefined> {
    return this.#reading(() => this.#unfinished((sql) => this.#db.read(sql)));
  }

  recentHandovers(limit: number): Promise<readonly HandoverRecord[]> {
    return this.#reading(() =>
      (
        this.#db
          .read(
            `SELECT ${COLUMNS} FROM fig_handover WHERE capability = ?
                 ORDER BY started_at DESC, rowid DESC LIMIT ?`,
          )
          .all(this.#capability, limit) as HandoverRow[]
      ).map((row) => recordOf(row)),
    );
  }

  journal(handover: string): Promise<readonly JournalEntry[]> {
    return this.#reading(
      () =>
        this.#db
          .read('SELECT handover, step, at, detail FROM fig_journal WHERE handover = ? ORDER BY id')
          .all(handover) as JournalEntry[],
    );
  }

  step(
    entry: Omit<JournalEntry, 'at'>,
    lease: Lease,
    move?: FenceMove,
    before: readonly JournalEntry[] = [],
  ): Promise<boolean> {
    return this.#leased(lease, () => {
      if (move !== undefined && !this.#fences.move(move)) return false;
      this.#journal([...before, { ...entry, at: Date.now() }]);
      return true;
    });
  }

  recordPosition(handover: string, lease: Lease): Promise<number | null> {
    const record = (): number | null => {
      const keys = this.#db
        .write('SELECT keys FROM fig_handover WHERE id = ?')
        .pluck()
        .get(handover);
      const moving = decodeKeys(keys as string | null | undefined);
      const set = rowsOf(this.#fences.of(moving), moving);
      // Behind an open fence there is no last position yet.
      if (!this.#holds(lease) || set.some(({ state }) => state === 'open')) return null;
      this.#db
        .write(
          `UPDATE fig_handover SET position = coalesce(position, (${this.#last})) WHERE id = ?`,
        )
        .run(handover);
      const position = this.#db
        .write('SELECT position FROM fig_handover WHERE id = ?')
        .pluck()
        .get(handover) as number | undefined;
      return position ?? null;
    };
    return this.#db.transaction(record, { durable: false });
  }

  finishHandover(
    handover: string,
    outcome: 'done' | 'aborted',
    reason: string | null,
    lease: Lease,
    before: readonly JournalEntry[] = [],
  ): Promise<boolean> {
    return this.#leased(lease, () => {
      this.#journal(before);
      const { changes } = this.#db
        .write(
          `UPDATE fig_handover SET outcome = ?, reason = ?, finished_at = ?
                WHERE id = ? AND outcome IS NULL`,
        )
        .run(outcome, reason, Date.now(), handover);
      if (changes === 1 && outcome === 'done') this.#fences.merge();
      return changes === 1;
    });
  }

  openAsTarget(epoch: number, keys: Keys = null): Promise<boolean> {
    return this.#db.transaction(() => {
      this.#fences.split(keys ?? []);
      const set = rowsOf(this.#fences.of(keys), keys);
      const pending = set.filter(({ state }) => state !== 'open');
      if (pending.length === 0) return set.some((fence) => fence.epoch === epoch);
      if (pending.some((fence) => fence.epoch >= epoch)) return false;
      for (const { key } of pending) this.#fences.set(key, { state: 'open', epoch });
      this.#db
        .write(
          `INSERT INTO fig_opening (capability, epoch, position, at)
                VALUES (?, ?, (${this.#last}), ?)`,
        )
        .run(this.#capability, epoch, Date.now());
      // What still waited for a row of the old owner's waits for nothing now.
      if (keys === null) {
        this.#db.write('DELETE FROM fig_waiting WHERE capability = ?').run(this.#capability);
        this.#fences.merge();
      }
      return true;
    });
  }

  lastPosition(): Promise<number> {
    return this.#reading(() => this.#db.read(this.#last).pluck().get() as number);
  }

  async appliedPosition(): Promise<number> {
    return (await this.followed()).position;
  }

  followed(): Promise<Followed> {
    return this.#reading(() =>
      readFollowed((sql) => this.#db.read(sql), this.#capability, otherSide(this.side)),
    );
  }

  #reading<T>(work: () => T): Promise<T> {
    return this.#db.snapshot(work);
  }

  #leased(lease: Lease, work: () => boolean): Promise<boolean> {
    return this.#db.transaction(() => this.#holds(lease) && work());
  }

  #journal(entries: readonly JournalEntry[]): void {
    const insert = this.#db.write(
      'INSERT INTO fig_journal (handover, step, at, detail) VALUES (@handover, @step, @at, @detail)',
    );
    for (const entry of entries) insert.run(entry);
  }

  /** Whether nobody has taken the lease since: an expired one is still good while nobody wants it. */
  #holds(lease: Lease): boolean {
    const token = this.#db
      .write('SELECT token FROM fig_lease WHERE capability = ?')
      .pluck()
      .get(this.#capability) as number | undefined;
    return token === lease.token;
  }

  #unfinished(
    prepare: (sql: string) => ReturnType<SqliteConnection['read']>,
  ): HandoverRecord | undefined {
    const row =
      prepare(`SELECT ${COLUMNS} FROM fig_handover WHERE capability = ? AND outcome IS NULL
      ORDER BY started_at DESC LIMIT 1`).get(this.#capability) as HandoverRow | undefined;
    return row && recordOf(row);
  }
}
