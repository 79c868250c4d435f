import type { SideName } from '../../../routing/side.ts';
import { checkMapping } from '../../mapping/index.ts';
import type { Mapping, MappingProblem } from '../../mapping/index.ts';
import type {
  Applied,
  BulkCopy,
  CommitWatch,
  RowName,
  SideDatabase,
  Snapshot,
  Target,
} from '../../sides/side-database.ts';
import { LedgerSide } from '../../ledger/index.ts';
import { withPoisonParked } from '../../replication/poison.ts';
import type { Lease, Slice } from '../../ledger/store.ts';
import { ALONE_BOX_MS, applySlice, TIME_BOX_MS } from './apply-slice.ts';
import type { Manner } from './apply-slice.ts';
import { SqliteBulkCopy } from './bulk-copy.ts';
import { SqliteChecks } from './checks.ts';
import { SqliteConnection } from './connection.ts';
import { SqliteFeedEnd } from './feed-end.ts';
import { SqliteFeedReader } from './feed-reader.ts';
import { install, uninstall, upgradeTables } from './install.ts';
import { SqliteLedger } from './ledger.ts';
import type { SqliteTx } from './ledger.ts';
import { WalWatch } from './wal-watch.ts';
import { SqliteRetirement } from './retirement.ts';
import { SqliteShadowFence } from './shadow-fence.ts';
import { reEmit } from './re-emit.ts';
import { checkSchema } from './schema.ts';
import { SqliteSnapshot } from './snapshot.ts';
import { applyAsTarget, applyAtOnce } from './as-target.ts';
import { SqliteTarget } from './target.ts';

/** One row at a time reaches a twentieth of the throughput; more than this, no more. */
const SLICE_ALONE = 500;
/**
 * A slice is read, sent, taken apart and parsed in one go each. Whoever else wants the processor meanwhile
 * waits for the end of it, or of the scheduler's patience: one to three milliseconds with 500 changes.
 */
const SLICE_CROWDED = 100;
/** How fast it is learnt what commits take, in ms a commit. */
const LEARN_MS = 0.01;

/** One side's SQLite database of one capability. */
export class SqliteSideDatabase extends LedgerSide<SqliteTx> implements SideDatabase {
  readonly feed: SqliteFeedReader;
  readonly checks: SqliteChecks;
  readonly shadowFence: SqliteShadowFence;
  readonly retirement: SqliteRetirement;
  readonly #db: SqliteConnection;
  readonly #snapshot: SqliteSnapshot;
  readonly #target: SqliteTarget;
  /** What committing an applied slice takes lately, in ms: it grows with the indexes that were written. */
  #commitMs = 0;

  /** @param url `file:` and the path of a database that exists */
  constructor(url: string, mapping: Mapping, side: SideName) {
    const connection = new SqliteConnection(url);
    const ledger = new SqliteLedger(connection);
    super(ledger, new SqliteFeedEnd(mapping.capability), mapping, side);
    this.#db = connection;
    this.feed = new SqliteFeedReader(connection, mapping.capability, side);
    this.#snapshot = new SqliteSnapshot(connection, mapping, side);
    this.#target = new SqliteTarget(connection, mapping, side);
    this.checks = new SqliteChecks(connection, ledger, mapping, side, this.#target);
    this.shadowFence = new SqliteShadowFence(connection, ledger, mapping, side);
    this.retirement = new SqliteRetirement(connection, ledger, mapping, side);
  }

  install(): Promise<void> {
    return install(this.#db, this.mapping, this.side);
  }

  upgrade(): Promise<void> {
    return upgradeTables(this.#db);
  }

  uninstall(lease?: Lease): Promise<boolean> {
    return uninstall(this.#db, this.mapping.capability, lease);
  }

  problems(): Promise<readonly MappingProblem[]> {
    return this.#db.snapshot(() => [
      ...checkMapping(this.mapping),
      ...checkSchema((sql) => this.#db.read(sql), this.mapping, this.side),
    ]);
  }

  async snapshot<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    const seen = await this.#db.snapshot(() => work(this.#snapshot));
    await this.#db.settled();
    return seen;
  }

  apply<T>(epoch: number, work: (target: Target) => Promise<T>, durable = false): Promise<T> {
    const { capability } = this.mapping;
    return this.#db.transaction(
      () => applyAsTarget(this.#db, capability, epoch, this.#target, work),
      { durable },
    );
  }

  applySlice(epoch: number, slice: Slice, speedup = 1): Promise<Applied> {
    // Reading images takes as long as writing them, and needs no lock.
    for (const change of slice.changes) void change.image;
    const whole = this.hasOtherWriters
      ? Math.min(ALONE_BOX_MS, speedup * TIME_BOX_MS)
      : ALONE_BOX_MS;
    // Where commits take longer than the box, a row a commit would keep the lock for most of the time, for nothing.
    const boxMs = Math.max(whole / 2, whole - this.#commitMs);
    return withPoisonParked((careful) => this.#applyBox(epoch, slice, { boxMs, careful }));
  }

  get hasOtherWriters(): boolean {
    return this.#db.crowded;
  }

  get sliceLimit(): number {
    return this.hasOtherWriters ? SLICE_CROWDED : SLICE_ALONE;
  }

  bulkCopyFrom(owner: SideDatabase): BulkCopy | undefined {
    if (!(owner instanceof SqliteSideDatabase)) return undefined;
    return new SqliteBulkCopy({
      sourceFile: owner.#db.file,
      targetFile: this.#db.file,
      mapping: this.mapping,
      owner: owner.side,
    });
  }

  reEmit(rows: readonly RowName[]): Promise<number | null> {
    return reEmit(this.#db, this.mapping, this.side, rows);
  }

  atHighPriority<T>(work: () => Promise<T>): Promise<T> {
    return this.#db.urgently(work);
  }

  flush(): Promise<number> {
    // Syncing the log for any commit syncs what was committed before it.
    return this.#db.transaction(() => {
      this.#db.write('UPDATE fig_clock SET applying = 0 WHERE id = 1').run();
      return this.#target.begin().appliedNow();
    });
  }

  watch(onCommit: () => void): CommitWatch {
    return new WalWatch(`${this.#db.file}-wal`, onCommit);
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  async #applyBox(epoch: number, slice: Slice, manner: Manner): Promise<Applied> {
    const { capability } = this.mapping;
    let began = 0;
    let written = 0;
    const applied = await this.#db.transaction(
      () => {
        began = performance.now();
        const made = applyAtOnce(this.#db, capability, epoch, this.#target, (target) =>
          applySlice(target, slice, manner),
        );
        written = performance.now();
        return made;
      },
      { durable: false },
    );
    const ended = performance.now();
    // The usual commit: now and then one also moves the log, when it has let go of the lock.
    this.#commitMs += ended - written > this.#commitMs ? LEARN_MS : -LEARN_MS;
    return { ...applied, heldMs: ended - began };
  }
}
