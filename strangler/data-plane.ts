import type { Logger } from '../chassis/index.ts';
import { Comparer, Copier } from './copy/index.ts';
import type { CopyRoute, CopyWish, ReconcileReport, ReconcileWish, Repair } from './copy/index.ts';
import { readDataPlaneStatus } from './data-plane-status.ts';
import type { DataPlaneStatus } from './data-plane-status.ts';
import {
  directionOf,
  directionsOf,
  isSplit,
  ownerOf,
  ownersOf,
  restOf,
  sameDirection,
  SplitError,
  TwoOwnersError,
} from './direction.ts';
import type { AllFences, Direction } from './direction.ts';
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
  /** By the side whose feed was applied. */
  readonly #positions = { legacy: new AppliedPositions(), extracted: new AppliedPositions() };
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #stopping = new AbortController();
  readonly #copier: Copier;
  readonly #comparer: Comparer;
  /** By the side whose changes they carry, the owner of the rest first. */
  #pipelines = new Map<SideName, Pipeline>();
  #turning: Promise<unknown> = Promise.resolve();

  constructor(options: DataPlaneOptions) {
    this.#options = options;
    this.mapping = options.mapping;
    this.capability = options.mapping.capability;
    this.#copier = new Copier(options.mapping, this.#stopping.signal);
    this.#comparer = new Comparer({
      mapping: options.mapping,
      databases: options.databases,
      signal: this.#stopping.signal,
      fences: async () => {
        await this.#turning;
        return this.#fences();
      },
      applied: (from, position) => this.#positions[from].waitFor(position, SETTLE_MS),
    });
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
    await this.#stopAll();
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
    return ownerOf(restOf(await this.#fences()));
  }

  /**
   * Applies a side's feed up to a position without pauses, straight from the database.
   * @param from the side; the owner of the rest when left out
   * @throws ApplyError, FeedLostError or NotTargetError when that can't be done; ParkedError when
   *   something of it had to be parked
   */
  async drainTo(position: number, from?: SideName, signal?: AbortSignal): Promise<void> {
    const source = from ?? directionOf(restOf(await this.#fences())).from;
    const applier = this.#pipelines.get(source)?.applier ?? (await this.#standIn(source));
    await applier.drainTo(position, signal);
    await this.#nothingParked(otherSide(source));
  }

  /**
   * Waits until everything that was committed at its owner before the call is on the other side.
   * @returns the position of the owner of the rest
   * @throws BarrierTimeoutError; ParkedError while something is parked: that is not on the other side
   */
  async barrier(timeoutMs = BARRIER_MS): Promise<number> {
    await this.#turning;
    const reached = [...this.#pipelines.values()].map((one) => this.#reach(one, timeoutMs));
    const [position] = await Promise.all(reached);
    if (position === undefined) throw new Error(`${this.capability} is not being carried`);
    return position;
  }

  async #reach(pipeline: Pipeline, timeoutMs: number): Promise<number> {
    const { from, to } = pipeline.direction;
    const position = await this.#database(from).feed.last();
    pipeline.kick();
    try {
      await this.#positions[from].waitFor(position, Math.min(QUEUE_MS, timeoutMs));
    } catch {
      pipeline.overtake();
      await this.#positions[from].waitFor(position, timeoutMs);
    }
    await this.#nothingParked(to);
    return position;
  }

  /**
   * Copies the owner's rows to the other side, from where the last run ended.
   * @returns when the copy is whole
   */
  backfill(wish: CopyWish = {}): Promise<void> {
    return this.#copier.run(async () => {
      const fences = await this.#fences();
      // Each side owns some of the rows: a copy of one would overwrite what the other one owns.
      if (isSplit(fences)) throw new SplitError(this.capability, ownersOf(fences).size);
      return this.#route();
    }, wish);
  }

  /** Compares both sides row by row, and keeps the report in the database of the owner of the rest. */
  async reconcile(wish: ReconcileWish = {}): Promise<ReconcileReport> {
    const { source } = await this.#route();
    return this.#comparer.reconcile(source, wish);
  }

  /** Compares, and brings the owner's rows over once more where the sides differ. */
  async repair({ sample }: ReconcileWish = {}): Promise<ReconcileReport & { repair: Repair }> {
    const { source } = await this.#route();
    return this.#comparer.repair(source, sample);
  }

  /** The newest report of either direction. */
  lastReconcile(): Promise<ReconcileReport | undefined> {
    return this.#comparer.last();
  }

  /** @throws TwoOwnersError */
  async status(): Promise<DataPlaneStatus> {
    const { mapping, databases } = this.#options;
    const fences = await this.#fences();
    const [pipelines, copier] = [this.#pipelines, this.#copier];
    return readDataPlaneStatus({ mapping, databases, fences, pipelines, copier });
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

  async #fences(): Promise<AllFences> {
    const [legacy, extracted] = await Promise.all([
      this.store('legacy').fences(),
      this.store('extracted').fences(),
    ]);
    return { legacy, extracted };
  }

  async #turn(): Promise<void> {
    const directions = directionsOf(await this.#fences());
    if (this.#stopping.signal.aborted) return;
    for (const [from, { direction, refused }] of this.#pipelines) {
      const stays = directions.some((wanted) => sameDirection(direction, wanted));
      if (!stays || refused) await this.#stopOne(from);
    }
    for (const direction of directions) {
      if (this.#pipelines.has(direction.from)) continue;
      this.#pipelines.set(direction.from, await this.#startOne(direction));
    }
    const first = (from: SideName): number => (from === directions[0]?.from ? 0 : 1);
    this.#pipelines = new Map([...this.#pipelines].sort(([a], [b]) => first(a) - first(b)));
  }

  async #startOne(direction: Direction): Promise<Pipeline> {
    const { from, to } = direction;
    const pipeline = await Pipeline.start({
      mapping: this.mapping,
      direction,
      source: this.#database(from),
      target: this.#database(to),
      redisUrl: this.#options.redisUrl,
      log: this.#options.log,
      onApplied: (position) => this.#positions[from].reached(position),
      onParked: (parked) => this.#sayParked(parked),
      onRefused: () => void this.ownerChanged().catch((error: unknown) => this.#warn(error)),
    });
    this.#positions[from].reached(pipeline.applier.position);
    return pipeline;
  }

  async #stopOne(from: SideName): Promise<void> {
    await this.#pipelines.get(from)?.stop();
    this.#pipelines.delete(from);
  }

  async #stopAll(): Promise<void> {
    for (const from of this.#pipelines.keys()) await this.#stopOne(from);
  }

  async #route(): Promise<CopyRoute> {
    await this.#turning;
    const [pipeline] = this.#pipelines.values();
    if (pipeline === undefined) throw new Error(`${this.capability} is not being carried`);
    const { direction, applier } = pipeline;
    const [source, target] = [this.#database(direction.from), this.#database(direction.to)];
    return { direction, source, target, applier };
  }

  /** For a handover that somebody finishes while nothing is being carried. */
  async #standIn(from: SideName): Promise<Applier> {
    const target = this.#database(otherSide(from));
    const { epoch } = await target.store.fences();
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
    if (this.#pipelines.size === 0) {
      await this.#followOwner();
      return;
    }
    const sides = [...this.#pipelines.keys()];
    const owners = await Promise.all(sides.map((side) => this.#database(side).feed.beat()));
    // Somebody else may have moved the fences.
    if (!owners.includes(true)) await this.ownerChanged();
  }

  async #trim(): Promise<void> {
    for (const side of ['legacy', 'extracted'] as const) {
      await trim(this.#database(side), this.#database(otherSide(side)));
    }
  }
}
