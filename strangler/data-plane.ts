import type { Logger } from '../chassis/index.ts';
import { backfill, reconcile } from './copy/index.ts';
import type { ReconcileReport } from './copy/index.ts';
import { directionOf, ownerOf, sameDirection } from './direction.ts';
import type { Direction, Fences } from './direction.ts';
import { AppliedPositions, Applier, Pipeline } from './feed/index.ts';
import type { ApplierProblem } from './feed/index.ts';
import type { Mapping } from './mapping/index.ts';
import type { BackfillState, SideDatabase } from './side-database.ts';
import { otherSide } from './side.ts';
import type { SideName } from './side.ts';
import type { SideStore } from './store.ts';

const HEARTBEAT_MS = 100;
const TRIM_MS = 1_000;
const TRIM_ROWS = 500;
/** Applied rows that are kept: a comparison wants the newest image of a row that changes often. */
const FEED_KEPT = 5_000;
/** A backfill waits while applying is further behind than this, in changes. */
const CALM_CHANGES = 2_000;
const CALM_MS = 20;
const BARRIER_MS = 2_000;
const SETTLE_MS = 2_000;

export interface DataPlaneOptions {
  readonly mapping: Mapping;
  readonly databases: Readonly<Record<SideName, SideDatabase>>;
  /** Absent: changes are read straight from the feed. */
  readonly redisUrl?: string | undefined;
  readonly log: Logger;
}

/** Where a copy stands. */
export interface BackfillStatus {
  readonly pairs: readonly BackfillState[];
  readonly running: boolean;
  readonly complete: boolean;
  readonly rows: number;
  readonly total: number;
  readonly rowsPerSecond: number | null;
  readonly etaMs: number | null;
  /** Why the newest run ended early; null when it did not. */
  readonly problem: string | null;
}

export interface DataPlaneStatus {
  readonly capability: string;
  readonly mappingHash: string;
  readonly fences: Fences;
  /** Null between two owners. */
  readonly owner: SideName | null;
  readonly direction: Direction;
  readonly feed: {
    readonly last: number;
    readonly sent: number;
    readonly applied: number;
    /** Changes not yet applied. */
    readonly lag: number;
    /** Age of the oldest of them, in ms. */
    readonly lagMs: number;
    readonly kept: number;
    readonly transport: 'queue' | 'direct';
  };
  readonly problem: ApplierProblem | null;
  readonly backfill: BackfillStatus;
  /** Whether the side that is not the owner holds a whole copy, and applying works. */
  readonly replicaReady: boolean;
  /** Whether both databases were prepared with the mapping this engine runs. */
  readonly mappingCurrent: boolean;
}

/**
 * One capability's data: captures, carries, copies and compares it, in the direction that the
 * fences ask for. It never moves a fence.
 */
export class DataPlane {
  readonly capability: string;
  readonly mapping: Mapping;
  readonly #options: DataPlaneOptions;
  readonly #positions = new AppliedPositions();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #stopping = new AbortController();
  #pipeline: Pipeline | undefined;
  #turning: Promise<unknown> = Promise.resolve();
  #backfilling: Promise<void> | undefined;
  #backfillStarted: { readonly at: number; readonly rows: number } | null = null;
  #backfillProblem: string | null = null;

  constructor(options: DataPlaneOptions) {
    this.#options = options;
    this.mapping = options.mapping;
    this.capability = options.mapping.capability;
  }

  store(side: SideName): SideStore {
    return this.#database(side).store;
  }

  /** Prepares both databases; running it again changes nothing. @throws ConfigurationError */
  async install(): Promise<void> {
    // The side that must not write first.
    await this.#database('extracted').install();
    await this.#database('legacy').install();
  }

  /** Takes everything of this capability out of both databases. */
  async uninstall(): Promise<void> {
    await this.#database('legacy').uninstall();
    await this.#database('extracted').uninstall();
  }

  /** Begins to carry changes, and goes on with a backfill that was interrupted. */
  async start(): Promise<void> {
    await this.ownerChanged();
    this.#every(HEARTBEAT_MS, () => this.#beat());
    this.#every(TRIM_MS, () => this.#trim());
    const { backfill: copy } = await this.status();
    if (copy.pairs.length > 0 && !copy.complete) void this.backfill().catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the engine is stopping'));
    for (const timer of this.#timers) clearInterval(timer);
    await this.#backfilling?.catch(() => undefined);
    await this.#turning.catch(() => undefined);
    await this.#pipeline?.stop();
    for (const side of ['legacy', 'extracted'] as const) this.#database(side).close();
  }

  /**
   * Looks at the fences and turns around if ownership has moved, in either direction; to be called
   * after a handover, and harmless at any other time.
   */
  ownerChanged(): Promise<void> {
    const turn = this.#turning.then(() => this.#turn());
    this.#turning = turn.catch(() => undefined);
    return turn;
  }

  /** @returns null between two owners @throws TwoOwnersError */
  async ownerSide(): Promise<SideName | null> {
    return ownerOf(await this.#fences());
  }

  /**
   * Applies the feed up to a position without pauses, straight from the database.
   * @throws ApplyError, FeedLostError or NotTargetError when that can't be done
   */
  async drainTo(position: number, signal?: AbortSignal): Promise<void> {
    const applier = this.#pipeline?.applier ?? (await this.#standIn());
    await applier.drainTo(position, signal);
  }

  /**
   * Waits until everything that was committed at the owner before the call is on the other side.
   * @returns the owner's position
   * @throws BarrierTimeoutError
   */
  async barrier(timeoutMs = BARRIER_MS): Promise<number> {
    const pipeline = await this.#running();
    const position = this.#database(pipeline.direction.from).feed.last();
    pipeline.kick();
    await this.#positions.waitFor(position, timeoutMs);
    return position;
  }

  /**
   * Copies the owner's rows to the other side, from where the last run ended.
   * @param restart copies everything again, also after a mapping has changed or a feed was lost
   * @returns when the copy is whole
   */
  backfill({ restart = false }: { readonly restart?: boolean } = {}): Promise<void> {
    this.#backfilling ??= this.#copy(restart).finally(() => {
      this.#backfilling = undefined;
    });
    return this.#backfilling;
  }

  /** Compares both sides row by row and keeps the report in the owner's database. */
  async reconcile(signal: AbortSignal = this.#stopping.signal): Promise<ReconcileReport> {
    const { from, to } = (await this.#running()).direction;
    const source = this.#database(from);
    const report = await reconcile({
      mapping: this.mapping,
      source,
      target: this.#database(to),
      signal: AbortSignal.any([signal, this.#stopping.signal]),
      applied: (position) => this.#positions.waitFor(position, SETTLE_MS),
    });
    await source.saveReport(report, report.finishedAt);
    return report;
  }

  /** The newest report of either direction. */
  async lastReconcile(): Promise<ReconcileReport | undefined> {
    const reports = await Promise.all([
      this.#database('legacy').lastReport(),
      this.#database('extracted').lastReport(),
    ]);
    return (reports as (ReconcileReport | undefined)[])
      .filter((report) => report !== undefined)
      .sort((left, right) => right.finishedAt - left.finishedAt)[0];
  }

  /** @throws TwoOwnersError */
  async status(): Promise<DataPlaneStatus> {
    const fences = await this.#fences();
    const direction = directionOf(fences);
    const [source, target] = [this.#database(direction.from), this.#database(direction.to)];
    const [own, copied] = await Promise.all([source.installation(), target.installation()]);
    const applied = await target.store.appliedPosition();
    const last = source.feed.last();
    const recordedAt = source.feed.recordedAt(applied);
    const problem = this.#pipeline?.applier.problem ?? null;
    const complete = copied?.complete ?? false;
    return {
      capability: this.capability,
      mappingHash: this.mapping.hash,
      fences,
      owner: ownerOf(fences),
      direction,
      feed: {
        last,
        sent: this.#pipeline?.sent ?? applied,
        applied,
        lag: Math.max(0, last - applied),
        lagMs: recordedAt === null ? 0 : Math.max(0, Date.now() - recordedAt),
        kept: source.feed.size(),
        transport: this.#pipeline?.transport ?? 'direct',
      },
      problem,
      backfill: this.#backfillStatus(await target.backfills(), complete),
      replicaReady: complete && problem === null,
      mappingCurrent: [own, copied].every((side) => side?.mappingHash === this.mapping.hash),
    };
  }

  #database(side: SideName): SideDatabase {
    return this.#options.databases[side];
  }

  async #fences(): Promise<Fences> {
    const [legacy, extracted] = await Promise.all([
      this.store('legacy').fence(),
      this.store('extracted').fence(),
    ]);
    return { legacy, extracted };
  }

  async #turn(): Promise<void> {
    const direction = directionOf(await this.#fences());
    if (this.#stopping.signal.aborted) return;
    if (sameDirection(this.#pipeline?.direction ?? null, direction)) return;
    await this.#pipeline?.stop();
    this.#pipeline = undefined;
    this.#positions.reached(-1);
    this.#pipeline = await Pipeline.start({
      capability: this.capability,
      direction,
      source: this.#database(direction.from),
      target: this.#database(direction.to),
      redisUrl: this.#options.redisUrl,
      log: this.#options.log,
      onApplied: (position) => this.#positions.reached(position),
      onRefused: () => void this.ownerChanged().catch((error: unknown) => this.#warn(error)),
    });
    this.#positions.reached(this.#pipeline.applier.position);
  }

  async #running(): Promise<Pipeline> {
    await this.#turning;
    if (this.#pipeline === undefined) throw new Error(`${this.capability} is not being carried`);
    return this.#pipeline;
  }

  /** For a handover that somebody finishes while no engine runs. */
  async #standIn(): Promise<Applier> {
    const { from, to, epoch } = directionOf(await this.#fences());
    const target = this.#database(to);
    return new Applier({
      feed: this.#database(from).feed,
      target,
      epoch,
      position: await target.store.appliedPosition(),
      onApplied: () => undefined,
      onRefused: () => undefined,
    });
  }

  /** Runs `work` again and again, never twice at once; what fails is tried again next time. */
  #every(ms: number, work: () => Promise<void>): void {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      void work()
        .catch((error: unknown) => this.#warn(error))
        .finally(() => {
          busy = false;
        });
    }, ms);
    this.#timers.add(timer);
  }

  #warn(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    this.#options.log.warn({ err: error, capability: this.capability }, 'the data plane stumbled');
  }

  async #beat(): Promise<void> {
    const direction = this.#pipeline?.direction;
    if (direction === undefined) return;
    const owner = await this.#database(direction.from).feed.beat();
    // Somebody else may have moved the fences.
    if (!owner) await this.ownerChanged();
  }

  /** What is trimmed can't be applied again, so it must survive a power cut on the other side. */
  async #trim(): Promise<void> {
    for (const from of ['legacy', 'extracted'] as const) {
      const { feed } = this.#database(from);
      const target = this.#database(otherSide(from));
      const applied = await target.store.appliedPosition();
      const oldest = feed.last() - feed.size() + 1;
      if (applied - oldest < FEED_KEPT + TRIM_ROWS) continue;
      const settled = await target.settle();
      await feed.trim(settled - FEED_KEPT, TRIM_ROWS * 4);
    }
  }

  async #copy(restart: boolean): Promise<void> {
    const { applier, direction } = await this.#running();
    const [source, target] = [this.#database(direction.from), this.#database(direction.to)];
    const { signal } = this.#stopping;
    this.#backfillProblem = null;
    try {
      if (!restart && (await target.installation())?.complete === true) return;
      const states = await target.backfills();
      const fresh = states.length === 0 || restart;
      if (fresh) await this.#beginCopy(applier, source, target, direction.epoch);
      const rows = fresh ? 0 : states.reduce((sum, state) => sum + state.rows, 0);
      this.#backfillStarted = { at: Date.now(), rows };
      const ready = await backfill({
        mapping: this.mapping,
        source,
        target,
        epoch: direction.epoch,
        signal,
        whenCalm: () => this.#calm(source, applier),
      });
      while (applier.position < ready) {
        signal.throwIfAborted();
        await this.#positions.waitFor(ready, SETTLE_MS).catch(() => undefined);
      }
      await target.apply(direction.epoch, (transaction) => transaction.setComplete(), true);
    } catch (error) {
      this.#backfillProblem = error instanceof Error ? error.message : String(error);
      throw error;
    } finally {
      this.#backfillStarted = null;
    }
  }

  #beginCopy(
    applier: Applier,
    source: SideDatabase,
    target: SideDatabase,
    epoch: number,
  ): Promise<void> {
    return applier.moveTo(() =>
      target.apply(epoch, (transaction) => {
        const position = source.snapshot((snapshot) => snapshot.position());
        transaction.beginCopy(position);
        return position;
      }),
    );
  }

  async #calm(source: SideDatabase, applier: Applier): Promise<void> {
    while (source.feed.last() - applier.position > CALM_CHANGES) {
      this.#stopping.signal.throwIfAborted();
      await this.#positions.waitFor(source.feed.last(), CALM_MS).catch(() => undefined);
    }
  }

  #backfillStatus(pairs: readonly BackfillState[], complete: boolean): BackfillStatus {
    const rows = pairs.reduce((sum, pair) => sum + pair.rows, 0);
    const known = pairs.reduce((sum, pair) => sum + Math.max(pair.total, pair.rows), 0);
    const begun = this.#backfillStarted;
    const seconds = begun === null ? 0 : (Date.now() - begun.at) / 1000;
    const rate = begun !== null && seconds > 0 ? (rows - begun.rows) / seconds : null;
    return {
      pairs,
      running: this.#backfilling !== undefined,
      complete,
      rows,
      total: known,
      rowsPerSecond: rate === null ? null : Math.round(rate),
      etaMs: rate === null || rate <= 0 ? null : Math.round(((known - rows) / rate) * 1000),
      problem: this.#backfillProblem,
    };
  }
}
