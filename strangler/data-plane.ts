import type { Logger } from '../chassis/index.ts';
import { Copier, reconcile, RowsToRepair } from './copy/index.ts';
import type { CopyRoute, CopyWish, ReconcileReport, ReconcileWish, Repair } from './copy/index.ts';
import { readDataPlaneStatus } from './data-plane-status.ts';
import type { DataPlaneStatus } from './data-plane-status.ts';
import { directionOf, ownerOf, sameDirection, TwoOwnersError } from './direction.ts';
import type { Fences } from './direction.ts';
import { AppliedPositions, Applier, Pipeline, revealer, trim } from './feed/index.ts';
import type { Mapping } from './mapping/index.ts';
import { ParkedError } from './side-database.ts';
import type { ParkedChange, SideDatabase } from './side-database.ts';
import { otherSide } from './side.ts';
import type { SideName } from './side.ts';
import type { SideStore } from './store.ts';

const HEARTBEAT_MS = 100;
const TRIM_MS = 1_000;
const BARRIER_MS = 2_000;
/** How long somebody who waits leaves it to the queue, before the feed is read for them. */
const QUEUE_MS = 10;
const SETTLE_MS = 2_000;

export interface DataPlaneOptions {
  readonly mapping: Mapping;
  readonly databases: Readonly<Record<SideName, SideDatabase>>;
  /** Absent: changes are read straight from the feed. */
  readonly redisUrl?: string | undefined;
  readonly log: Logger;
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
  readonly #copier: Copier;
  #pipeline: Pipeline | undefined;
  #turning: Promise<unknown> = Promise.resolve();

  constructor(options: DataPlaneOptions) {
    this.#options = options;
    this.mapping = options.mapping;
    this.capability = options.mapping.capability;
    this.#copier = new Copier(options.mapping, this.#stopping.signal);
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
    const carried = await this.#followOwner();
    this.#every(HEARTBEAT_MS, () => this.#beat());
    this.#every(TRIM_MS, () => this.#trim());
    if (!carried) return;
    const { backfill } = await this.status();
    if (backfill.pairs.length > 0 && !backfill.complete) {
      void this.backfill().catch((error: unknown) => this.#warn(error));
    }
  }

  /** Ends all that is carried and copied, for good; the databases stay open. */
  async halt(): Promise<void> {
    this.#stopping.abort(new Error('the engine is stopping'));
    for (const timer of this.#timers) clearInterval(timer);
    await this.#copier.idle();
    await this.#turning.catch(() => undefined);
    await this.#pipeline?.stop();
    this.#pipeline = undefined;
  }

  /** Stops everything and closes both databases. */
  async stop(): Promise<void> {
    await this.halt();
    for (const side of ['legacy', 'extracted'] as const) await this.#database(side).close();
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
   * @throws ApplyError, FeedLostError or NotTargetError when that can't be done; ParkedError when
   *   something of it had to be parked
   */
  async drainTo(position: number, signal?: AbortSignal): Promise<void> {
    const applier = this.#pipeline?.applier ?? (await this.#standIn());
    await applier.drainTo(position, signal);
    await this.#nothingParked(directionOf(await this.#fences()).to);
  }

  /**
   * Waits until everything that was committed at the owner before the call is on the other side.
   * @returns the owner's position
   * @throws BarrierTimeoutError; ParkedError while something is parked: that is not on the other side
   */
  async barrier(timeoutMs = BARRIER_MS): Promise<number> {
    const pipeline = await this.#running();
    const position = await this.#database(pipeline.direction.from).feed.last();
    pipeline.kick();
    try {
      await this.#positions.waitFor(position, Math.min(QUEUE_MS, timeoutMs));
    } catch {
      pipeline.overtake();
      await this.#positions.waitFor(position, timeoutMs);
    }
    await this.#nothingParked(pipeline.direction.to);
    return position;
  }

  /**
   * Copies the owner's rows to the other side, from where the last run ended.
   * @returns when the copy is whole
   */
  backfill(wish: CopyWish = {}): Promise<void> {
    return this.#copier.run(() => this.#route(), wish);
  }

  /**
   * Compares both sides row by row, and keeps the report in the owner's database; one of a sample
   * only when it has found something, since it proves nothing else.
   */
  async reconcile(options: ReconcileWish = {}): Promise<ReconcileReport> {
    const { source, target } = await this.#route();
    const report = await reconcile({
      mapping: this.mapping,
      source,
      target,
      signal: this.#stopping.signal,
      applied: (position) => this.#positions.waitFor(position, SETTLE_MS),
      ...options,
    });
    if (report.sample === null || !report.clean) await source.saveReport(report, report.finishedAt);
    return report;
  }

  /** Compares, and brings the owner's rows over once more where the sides differ. */
  async repair({ sample }: ReconcileWish = {}): Promise<ReconcileReport & { repair: Repair }> {
    const rows = new RowsToRepair();
    const report = await this.reconcile({ sample, onDifference: (row) => rows.add(row) });
    const { source } = await this.#route();
    const position = await rows.requeue(source);
    // Whoever compares again at once should find it done.
    if (position !== null)
      await this.#positions.waitFor(position, SETTLE_MS).catch(() => undefined);
    return { ...report, repair: rows.done };
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
    const { mapping, databases } = this.#options;
    const fences = await this.#fences();
    const [pipeline, copier] = [this.#pipeline, this.#copier];
    return readDataPlaneStatus({ mapping, databases, fences, pipeline, copier });
  }

  /** @throws ParkedError */
  async #nothingParked(side: SideName): Promise<void> {
    const count = await this.#database(side).parked.count();
    if (count === 0) return;
    throw new ParkedError(`changes that ${side} could not take are parked there (${count})`);
  }

  #sayParked(parked: readonly ParkedChange[]): void {
    const { log } = this.#options;
    for (const { table, key, position, reason } of parked) {
      const change = { capability: this.capability, table, key, position };
      if (reason === null) log.warn(change, 'a change is parked behind another one');
      else log.error({ ...change, reason }, "a change can't be applied and is parked");
    }
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
    const { direction: known = null, refused = false } = this.#pipeline ?? {};
    if (sameDirection(known, direction) && !refused) return;
    await this.#pipeline?.stop();
    this.#pipeline = undefined;
    this.#pipeline = await Pipeline.start({
      mapping: this.mapping,
      direction,
      source: this.#database(direction.from),
      target: this.#database(direction.to),
      redisUrl: this.#options.redisUrl,
      log: this.#options.log,
      onApplied: (position) => this.#positions.reached(position),
      onParked: (parked) => this.#sayParked(parked),
      onRefused: () => void this.ownerChanged().catch((error: unknown) => this.#warn(error)),
    });
    this.#positions.reached(this.#pipeline.applier.position);
  }

  async #running(): Promise<Pipeline> {
    await this.#turning;
    if (this.#pipeline === undefined) throw new Error(`${this.capability} is not being carried`);
    return this.#pipeline;
  }

  async #route(): Promise<CopyRoute> {
    const { direction, applier } = await this.#running();
    const [source, target] = [this.#database(direction.from), this.#database(direction.to)];
    return { direction, source, target, applier };
  }

  /** For a handover that somebody finishes while nothing is being carried. */
  async #standIn(): Promise<Applier> {
    const { from, to, epoch } = directionOf(await this.#fences());
    const target = this.#database(to);
    return new Applier({
      feed: this.#database(from).feed,
      reveal: revealer(this.mapping, this.#database(from)),
      target,
      epoch,
      position: await target.store.appliedPosition(),
      onApplied: () => undefined,
      onParked: (parked) => this.#sayParked(parked),
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

  /** With two owners nothing is carried, until somebody has mended that. */
  async #followOwner(): Promise<boolean> {
    try {
      await this.ownerChanged();
      return true;
    } catch (error) {
      if (error instanceof TwoOwnersError) return false;
      throw error;
    }
  }

  async #beat(): Promise<void> {
    const direction = this.#pipeline?.direction;
    if (direction === undefined) {
      await this.#followOwner();
      return;
    }
    const owner = await this.#database(direction.from).feed.beat();
    // Somebody else may have moved the fences.
    if (!owner) await this.ownerChanged();
  }

  async #trim(): Promise<void> {
    for (const side of ['legacy', 'extracted'] as const) {
      await trim(this.#database(side), this.#database(otherSide(side)));
    }
  }
}
