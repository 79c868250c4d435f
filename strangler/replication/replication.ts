import type { Logger } from '../../chassis/index.ts';
import { ReplicationStream } from './replication-stream.ts';
import { Comparer, Copier } from './copy/index.ts';
import type {
  CopyRoute,
  CopyOptions,
  ReconcileReport,
  ReconcileRequest,
  Repair,
} from './copy/index.ts';
import { readReplicationStatus } from './replication-status.ts';
import type { ReplicationStatus } from './replication-status.ts';
import { directionOf, isSplit, ownerOrThrow, ownersOf, restOf, SplitError } from './direction.ts';
import { trim } from './feed/index.ts';
import type { Pipeline } from './feed/index.ts';
import type { Mapping } from '../mapping/index.ts';
import { refuseProblems } from '../check/schema-check.ts';
import { ParkedError } from '../sides/side-database.ts';
import { readFacts } from '../sides/facts.ts';
import type { Facts } from '../sides/facts.ts';
import type { SideDatabase } from '../sides/side-database.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import type { SideStore } from '../ledger/store.ts';

const HEARTBEAT_MS = 100;
const TRIM_MS = 1_000;
const BARRIER_MS = 2_000;
/** How long somebody who waits leaves it to the queue, before the feed is read for them. */
const QUEUE_MS = 10;
const SETTLE_MS = 2_000;

export interface ReplicationOptions {
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
export class Replication {
  readonly capability: string;
  readonly mapping: Mapping;
  readonly #options: ReplicationOptions;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #stopping = new AbortController();
  readonly #stream: ReplicationStream;
  readonly #copier: Copier;
  readonly #comparer: Comparer;

  constructor(options: ReplicationOptions) {
    this.#options = options;
    this.mapping = options.mapping;
    this.capability = options.mapping.capability;
    const { mapping, databases, redisUrl, log } = options;
    const { signal } = this.#stopping;
    const onStumble = (error: unknown): void => this.#warn(error);
    const stream = new ReplicationStream({ mapping, databases, redisUrl, log, signal, onStumble });
    this.#stream = stream;
    this.#copier = new Copier(mapping, signal);
    this.#comparer = new Comparer({
      mapping,
      databases,
      signal,
      fences: async () => {
        await stream.turned();
        return stream.fences();
      },
      applied: (from, position) => stream.waitFor(from, position, SETTLE_MS),
    });
  }

  store(side: SideName): SideStore {
    return this.#database(side).store;
  }

  /**
   * Prepares both databases; running it again changes nothing.
   * @throws ConfigurationError where one of them can't be prepared, and then the other is not either
   */
  async install(): Promise<void> {
    const [extracted, legacy] = [this.#database('extracted'), this.#database('legacy')];
    const fresh: SideDatabase[] = [];
    for (const side of [legacy, extracted]) if (!(await side.installation())) fresh.push(side);
    if (fresh.length > 0) {
      const problems = [...(await legacy.problems()), ...(await extracted.problems())];
      refuseProblems(this.capability, problems);
    }
    try {
      // The side that must not write first.
      await extracted.install();
      await legacy.install();
    } catch (error) {
      // One side alone would refuse writes that the other one does not record. What can't be taken out now is
      // installed again by the next attempt.
      for (const side of fresh) await side.uninstall().catch(() => undefined);
      throw error;
    }
  }

  /** Takes everything of this capability out of both databases. */
  async uninstall(): Promise<void> {
    await this.#database('legacy').uninstall();
    await this.#database('extracted').uninstall();
  }

  /** Begins to carry changes, and goes on with a backfill that was interrupted. */
  async start(): Promise<void> {
    const carried = await this.#stream.followOwner();
    this.#every(HEARTBEAT_MS, () => this.#stream.beat());
    this.#every(TRIM_MS, () => this.#trim());
    if (!carried) return;
    const { backfill } = await this.status();
    if (backfill.pairs.length > 0 && !backfill.complete) {
      void this.backfill({ unattended: true }).catch((error: unknown) => this.#warn(error));
    }
  }

  /** Ends all that is carried and copied, for good; the databases stay open. */
  async halt(): Promise<void> {
    this.#stopping.abort(new Error('the engine is stopping'));
    for (const timer of this.#timers) clearInterval(timer);
    await this.#copier.idle();
    await this.#stream.stop();
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
    return this.#stream.ownerChanged();
  }

  /** @returns null between two owners @throws TwoOwnersError */
  async ownerSide(): Promise<SideName | null> {
    return ownerOrThrow(restOf(await this.#stream.fences()));
  }

  /**
   * Applies a side's feed up to a position without pauses, straight from the database.
   * @param from the side; the owner of the rest when left out
   * @throws ApplyError, FeedLostError or NotTargetError when that can't be done; ParkedError when
   *   something of it had to be parked
   */
  async drainTo(position: number, from?: SideName, signal?: AbortSignal): Promise<void> {
    const source = from ?? directionOf(restOf(await this.#stream.fences())).from;
    const applier = await this.#stream.applierOf(source);
    await applier.drainTo(position, signal);
    await this.#nothingParked(otherSide(source));
  }

  /**
   * Waits until everything that was committed at its owner before the call is on the other side.
   * @returns the position of the owner of the rest
   * @throws BarrierTimeoutError; ParkedError while something is parked: that is not on the other side
   */
  async barrier(timeoutMs = BARRIER_MS): Promise<number> {
    await this.#stream.turned();
    const reached = [...this.#stream.pipelines.values()].map((one) => this.#reach(one, timeoutMs));
    const [position] = await Promise.all(reached);
    if (position === undefined) throw new Error(`${this.capability} is not being carried`);
    return position;
  }

  async #reach(pipeline: Pipeline, timeoutMs: number): Promise<number> {
    const { from, to } = pipeline.direction;
    const position = await this.#database(from).feed.last();
    pipeline.kick();
    try {
      await this.#stream.waitFor(from, position, Math.min(QUEUE_MS, timeoutMs));
    } catch {
      pipeline.overtake();
      await this.#stream.waitFor(from, position, timeoutMs);
    }
    await this.#nothingParked(to);
    return position;
  }

  /**
   * Copies the owner's rows to the other side, from where the last run ended.
   * @returns when the copy is whole
   */
  backfill(wish: CopyOptions = {}): Promise<void> {
    return this.#copier.run(async () => {
      const fences = await this.#stream.fences();
      // Each side owns some of the rows: a copy of one would overwrite what the other one owns.
      if (isSplit(fences)) throw new SplitError(this.capability, ownersOf(fences).size);
      return this.#route();
    }, wish);
  }

  /** Compares both sides row by row, and keeps the report in the database of the owner of the rest. */
  async reconcile(wish: ReconcileRequest = {}): Promise<ReconcileReport> {
    const { source } = await this.#route();
    return this.#comparer.reconcile(source, wish);
  }

  /** Compares, and brings the owner's rows over once more where the sides differ. */
  async repair({ sample }: ReconcileRequest = {}): Promise<ReconcileReport & { repair: Repair }> {
    const { source } = await this.#route();
    return this.#comparer.repair(source, sample);
  }

  /** The newest report of either direction. */
  async lastReconcile({ legacy, extracted } = this.#facts()): Promise<ReconcileReport | undefined> {
    const reports = [await legacy.report(), await extracted.report()];
    return (reports as (ReconcileReport | undefined)[])
      .filter((report) => report !== undefined)
      .sort((left, right) => right.finishedAt - left.finishedAt)[0];
  }

  /** @throws TwoOwnersError */
  status(facts = this.#facts()): Promise<ReplicationStatus> {
    const { mapping } = this.#options;
    const { pipelines, unstarted } = this.#stream;
    return readReplicationStatus({ mapping, facts, pipelines, unstarted, copier: this.#copier });
  }

  #facts(): Facts {
    return readFacts(this.#options.databases);
  }

  /** @throws ParkedError */
  async #nothingParked(side: SideName): Promise<void> {
    const count = await this.#database(side).parked.count();
    if (count === 0) return;
    throw new ParkedError(`changes that ${side} could not take are parked there (${count})`);
  }

  #database(side: SideName): SideDatabase {
    return this.#options.databases[side];
  }

  async #route(): Promise<CopyRoute> {
    await this.#stream.turned();
    const [pipeline] = this.#stream.pipelines.values();
    if (pipeline === undefined) throw new Error(`${this.capability} is not being carried`);
    const { direction, applier } = pipeline;
    const [source, target] = [this.#database(direction.from), this.#database(direction.to)];
    return { direction, source, target, applier };
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
    this.#options.log.warn({ err: error, capability: this.capability }, 'the replication stumbled');
  }

  async #trim(): Promise<void> {
    for (const side of ['legacy', 'extracted'] as const) {
      await trim(this.#database(side), this.#database(otherSide(side)));
    }
  }
}
