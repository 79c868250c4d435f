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
import { followedOf, followedSql, MARK } from './applied-table.ts';
import { knownKeysSql } from './cohort-sql.ts';
import { isLockTimeout } from './connection.ts';
import type { PostgresClient, PostgresConnection } from './connection.ts';
import { FenceTable } from './fence-table.ts';
import type { Sequencer } from './sequencer.ts';
import { NOW_SQL } from './values.ts';

const COLUMNS = `id, capability, from_side AS "from", to_side AS "to", epoch, deadline, position,
  outcome, reason, started_at AS "startedAt", finished_at AS "finishedAt", keys`;
/**
 * How long a fence may wait for open write transactions, in ms. Whoever wants to write waits behind
 * it, so this must end before the coordinator's own patience does.
 */
const FENCE_LOCK_MS = 900;

/** `SideStore` on PostgreSQL. Each method is one transaction; leases go by the database's clock. */
export class PostgresSideStore implements SideStore {
  readonly side: SideName;
  readonly #db: PostgresConnection;
  readonly #capability: string;
  readonly #mapping: Mapping;
  readonly #sequencer: Sequencer;
  readonly #fences: FenceTable;

  constructor(
    connection: PostgresConnection,
    sequencer: Sequencer,
    mapping: Mapping,
    side: SideName,
  ) {
    this.side = side;
    this.#db = connection;
    this.#capability = mapping.capability;
    this.#fences = new FenceTable(connection, mapping.capability);
    this.#mapping = mapping;
    this.#sequencer = sequencer;
  }

  fence(): Promise<Fence> {
    return this.#fences.rest();
  }

  fences(): Promise<FenceRows> {
    return this.#fences.all();
  }

  split(keys: readonly string[], lease: Lease): Promise<boolean> {
    return this.#leased(lease, async (client) => {
      await this.#fences.split(client, keys);
      return true;
    });
  }

  async knownKeys(): Promise<readonly string[]> {
    const sql = knownKeysSql(this.#mapping, this.side);
    if (sql === null) return [];
    const { rows } = await this.#db.query<{ key: string }>(sql);
    return rows.map(({ key }) => key);
  }

  async acquireLease(holder: string, ttlMs: number): Promise<Lease | null> {
    const { rows } = await this.#db.query<{ token: number }>(
      `INSERT INTO fig_lease AS known (capability, holder, token, expires_at)
         VALUES ($1, $2, 1, ${NOW_SQL} + $3::bigint)
       ON CONFLICT (capability) DO UPDATE SET holder = excluded.holder,
         token = CASE WHEN known.expires_at > ${NOW_SQL} THEN known.token ELSE known.token + 1 END,
         expires_at = excluded.expires_at
         WHERE known.holder = excluded.holder OR known.expires_at <= ${NOW_SQL}
       RETURNING token`,
      [this.#capability, holder, Math.ceil(ttlMs)],
    );
    const [given] = rows;
    return given ? { capability: this.#capability, holder, token: given.token } : null;
  }

  async renewLease({ token }: Lease, ttlMs: number): Promise<boolean> {
    const { rowCount } = await this.#db.query(
      `UPDATE fig_lease SET expires_at = ${NOW_SQL} + $3::bigint
         WHERE capability = $1 AND token = $2 AND expires_at > ${NOW_SQL}`,
      [this.#capability, token, Math.ceil(ttlMs)],
    );
    return rowCount === 1;
  }

  async releaseLease(lease: Lease): Promise<void> {
    await this.#db.query(
      'UPDATE fig_lease SET expires_at = 0 WHERE capability = $1 AND token = $2',
      [this.#capability, lease.token],
    );
  }

  async lease(): Promise<LeaseView | null> {
    const { rows } = await this.#db.query<LeaseView & Record<string, unknown>>(
      'SELECT holder, expires_at AS "expiresAt" FROM fig_lease WHERE capability = $1',
      [this.#capability],
    );
    return rows[0] ?? null;
  }

  async peerObservation(): Promise<PeerObservation> {
    const { rows } = await this.#db.query<PeerRow & Record<string, unknown>>(
      `SELECT pulse, other AS incarnation, other_pulse AS "otherPulse", other_epoch AS epoch
         FROM fig_peer WHERE capability = $1`,
      [this.#capability],
    );
    return peerObservationOf(rows[0]);
  }

  saveCheckpoint(other: PeerCheckpoint, lease: Lease, atLeast: number): Promise<number | null> {
    const { incarnation, pulse, epoch } = other;
    return this.#db.transaction(async (client) => {
      if (!(await this.#holds(client, lease))) return null;
      const { rows } = await client.query<{ pulse: number }>(
        `INSERT INTO fig_peer AS known (capability, pulse, other, other_pulse, other_epoch)
           VALUES ($1, $2::bigint + 1, $3, $4, $5)
         ON CONFLICT (capability) DO UPDATE SET
           pulse = greatest(known.pulse + 1, excluded.pulse), other = excluded.other,
           other_pulse = excluded.other_pulse, other_epoch = excluded.other_epoch
         RETURNING pulse`,
        [this.#capability, atLeast, incarnation, pulse, epoch],
      );
      return rows[0]?.pulse ?? null;
    });
  }

  skipTo(position: number, lease: Lease): Promise<boolean> {
    return this.#leased(lease, async (client) => {
      await client.query(
        'UPDATE fig_sequence SET last = greatest(last, $2) WHERE capability = $1',
        [this.#capability, position],
      );
      return true;
    });
  }

  followFrom(followed: Followed, lease: Lease): Promise<boolean> {
    return this.#leased(lease, async (client) => {
      await client.query(followedSql(this.#capability, otherSide(this.side), followed));
      return true;
    });
  }

  beginHandover(record: HandoverRecord, lease: Lease): Promise<boolean> {
    return this.#leased(lease, async (client) => {
      // One that was begun in this moment can't be seen yet: the index waits for it and tells.
      const { rowCount } = await client.query(
        `INSERT INTO fig_handover (id, capability, from_side, to_side, epoch, deadline, position,
             outcome, reason, started_at, finished_at, keys)
           SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 WHERE NOT EXISTS
             (SELECT FROM fig_handover WHERE capability = $2 AND outcome IS NULL)
           ON CONFLICT DO NOTHING`,
        handoverValues(record),
      );
      if (rowCount === 1) await this.#fences.split(client, record.keys ?? []);
      return rowCount === 1;
    });
  }

  async unfinishedHandover(): Promise<HandoverRecord | undefined> {
    const { rows } = await this.#db.query<HandoverRow & Record<string, unknown>>(
      `SELECT ${COLUMNS} FROM fig_handover WHERE capability = $1 AND outcome IS NULL
         ORDER BY started_at DESC LIMIT 1`,
      [this.#capability],
    );
    return rows[0] && recordOf(rows[0]);
  }

  async recentHandovers(limit: number): Promise<readonly HandoverRecord[]> {
    const { rows } = await this.#db.query<HandoverRow & Record<string, unknown>>(
      `SELECT ${COLUMNS} FROM fig_handover WHERE capability = $1
         ORDER BY started_at DESC, nr DESC LIMIT $2`,
      [this.#capability, limit],
    );
    return rows.map((row) => recordOf(row));
  }

  async journal(handover: string): Promise<readonly JournalEntry[]> {
    const { rows } = await this.#db.query<JournalEntry & Record<string, unknown>>(
      'SELECT handover, step, at, detail FROM fig_journal WHERE handover = $1 ORDER BY id',
      [handover],
    );
    return rows;
  }

  async step(
    entry: Omit<JournalEntry, 'at'>,
    lease: Lease,
    move?: FenceMove,
    before: readonly JournalEntry[] = [],
  ): Promise<boolean> {
    return this.#leased(lease, async (client) => {
      if (move !== undefined && !(await this.#fences.move(client, move))) return false;
      await this.#journal(client, before);
      await client.query(
        `INSERT INTO fig_journal (handover, step, at, detail) VALUES ($1, $2, ${NOW_SQL}, $3)`,
        [entry.handover, entry.step, entry.detail],
      );
      return true;
    });
  }

  recordPosition(handover: string, lease: Lease): Promise<number | null> {
    return this.#db.transaction(async (client) => {
      if (!(await this.#holds(client, lease))) return null;
      const { rows: known } = await client.query<{ keys: string | null }>(
        'SELECT keys FROM fig_handover WHERE id = $1',
        [handover],
      );
      // Behind an open fence there is no last position yet.
      const moving = decodeKeys(known[0]?.keys);
      const set = rowsOf(await this.#fences.of(client, moving), moving);
      if (set.some(({ state }) => state === 'open')) return null;
      // Closing has waited for all who write, so whatever there will be is there by now.
      const last = await this.#sequencer.moveIn(client);
      const recorded = await client.query<{ position: number }>(
        `UPDATE fig_handover SET position = coalesce(position, $2::bigint) WHERE id = $1
           RETURNING position`,
        [handover, last],
      );
      return recorded.rows[0]?.position ?? null;
    });
  }

  finishHandover(
    handover: string,
    outcome: 'done' | 'aborted',
    reason: string | null,
    lease: Lease,
    before: readonly JournalEntry[] = [],
  ): Promise<boolean> {
    return this.#leased(lease, async (client) => {
      await this.#journal(client, before);
      const { rowCount } = await client.query(
        `UPDATE fig_handover SET outcome = $2, reason = $3, finished_at = ${NOW_SQL}
           WHERE id = $1 AND outcome IS NULL`,
        [handover, outcome, reason],
      );
      if (rowCount === 1 && outcome === 'done') await this.#fences.merge(client);
      return rowCount === 1;
    });
  }

  openAsTarget(epoch: number, keys: Keys = null): Promise<boolean> {
    return this.#moving(async (client) => {
      await this.#fences.split(client, keys ?? []);
      const set = rowsOf(await this.#fences.of(client, keys), keys);
      const pending = set.filter(({ state }) => state !== 'open');
      if (pending.length === 0) return set.some((fence) => fence.epoch === epoch);
      if (pending.some((fence) => fence.epoch >= epoch)) return false;
      const opened = pending.map(({ key }) => key);
      await this.#fences.set(client, opened, { state: 'open', epoch });
      await client.query(
        `INSERT INTO fig_opening (capability, epoch, position, at) VALUES ($1, $2, $3, ${NOW_SQL})`,
        [this.#capability, epoch, await this.#sequencer.moveIn(client)],
      );
      if (keys !== null) return true;
      // What still waited for a row of the old owner's waits for nothing now.
      await client.query('DELETE FROM fig_waiting WHERE capability = $1', [this.#capability]);
      await this.#fences.merge(client);
      return true;
    });
  }

  lastPosition(): Promise<number> {
    return this.#db.transaction((client) => this.#sequencer.moveIn(client));
  }

  async appliedPosition(): Promise<number> {
    return (await this.followed()).position;
  }

  async followed(): Promise<Followed> {
    const { rows } = await this.#db.query<{ position: number; mark: string | null }>(
      `SELECT position, ${MARK} AS mark FROM fig_applied a WHERE capability = $1 AND feed_of = $2`,
      [this.#capability, otherSide(this.side)],
    );
    return followedOf(rows[0]);
  }

  #leased(lease: Lease, work: (client: PostgresClient) => Promise<boolean>): Promise<boolean> {
    return this.#moving(async (client) => (await this.#holds(client, lease)) && work(client));
  }

  async #moving(work: (client: PostgresClient) => Promise<boolean>): Promise<boolean> {
    try {
      return await this.#db.transaction(work, { lockMs: FENCE_LOCK_MS });
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      throw new Error(
        `open transactions kept the fence of ${this.#capability} from moving for ${FENCE_LOCK_MS} ms`,
        { cause: error },
      );
    }
  }

  /**
   * Whether nobody has taken the lease since: an expired one is still good while nobody wants it, and
   * nobody gets it before this transaction ends.
   */
  async #holds(client: PostgresClient, lease: Lease): Promise<boolean> {
    const { rows } = await client.query<{ token: number }>(
      'SELECT token FROM fig_lease WHERE capability = $1 FOR SHARE',
      [this.#capability],
    );
    return rows[0]?.token === lease.token;
  }

  async #journal(client: PostgresClient, entries: readonly JournalEntry[]): Promise<void> {
    for (const { handover, step, at, detail } of entries) {
      await client.query(
        'INSERT INTO fig_journal (handover, step, at, detail) VALUES ($1, $2, $3, $4)',
        [handover, step, at, detail],
      );
    }
  }
}

/** In the order of the table's columns. */
function handoverValues(record: HandoverRecord): unknown[] {
  const { id, capability, from, to, epoch, deadline } = record;
  const { position, outcome, reason, startedAt, finishedAt } = record;
  const what: unknown[] = [id, capability, from, to, epoch, deadline];
  return [...what, position, outcome, reason, startedAt, finishedAt, encodeKeys(record.keys)];
}
