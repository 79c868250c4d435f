import { errorText } from '../../chassis/index.ts';
import type { Logger } from '../../chassis/index.ts';
import { directionsOf, sameDirection, TwoOwnersError } from './direction.ts';
import type { AllFences, Direction } from './direction.ts';
import { AppliedPositions, Applier, Pipeline, secretHydrator } from './feed/index.ts';
import type { ApplierProblem } from './feed/index.ts';
import type { Mapping } from '../mapping/index.ts';
import type { ParkedChange, SideDatabase } from '../sides/side-database.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';

/** How long a direction that could not be begun is left alone, in ms. */
const RETRY_MS = 500;

interface ReplicationStreamOptions {
  readonly mapping: Mapping;
  readonly databases: Readonly<Record<SideName, SideDatabase>>;
  /** Absent: changes are read straight from the feed. */
  readonly redisUrl: string | undefined;
  readonly log: Logger;
  /** Once it is aborted, nothing new is begun. */
  readonly signal: AbortSignal;
  /** Called with what could not be done and is tried again. */
  readonly onStumble: (error: unknown) => void;
}

/**
 * Carries one capability's changes in the directions that the fences ask for, and turns around when
 * ownership has moved. It never moves a fence.
 */
export class ReplicationStream {
  readonly #options: ReplicationStreamOptions;
  /** By the side whose feed was applied. */
  readonly #positions = { legacy: new AppliedPositions(), extracted: new AppliedPositions() };
  #pipelines = new Map<SideName, Pipeline>();
  readonly #unstarted = new Map<SideName, ApplierProblem>();
  #turning: Promise<unknown> = Promise.resolve();

  constructor(options: ReplicationStreamOptions) {
    this.#options = options;
  }

  /** By the side whose changes they carry, the owner of the rest first. */
  get pipelines(): ReadonlyMap<SideName, Pipeline> {
    return this.#pipelines;
  }

  /** Why the changes of a side are not carried, though they should be. */
  get unstarted(): ReadonlyMap<SideName, ApplierProblem> {
    return this.#unstarted;
  }

  /** Waits for the end of a turn that is under way. */
  async turned(): Promise<void> {
    await this.#turning;
  }

  async fences(): Promise<AllFences> {
    const [legacy, extracted] = await Promise.all([
      this.#database('legacy').store.fences(),
      this.#database('extracted').store.fences(),
    ]);
    return { legacy, extracted };
  }

  /** Looks at the fences and turns around if ownership has moved. @throws TwoOwnersError */
  ownerChanged(): Promise<void> {
    const turn = this.#turning.then(() => this.#turn());
    this.#turning = turn.catch(() => undefined);
    return turn;
  }

  /** The same; with two owners nothing is carried, until somebody has mended that. @returns whether it is */
  async followOwner(): Promise<boolean> {
    try {
      await this.ownerChanged();
      return true;
    } catch (error) {
      if (error instanceof TwoOwnersError) return false;
      throw error;
    }
  }

  /** Writes a heartbeat to each feed that is carried, and notices when somebody else has moved a fence. */
  async beat(): Promise<void> {
    if (this.#pipelines.size === 0) {
      await this.followOwner();
      return;
    }
    const isDue = [...this.#unstarted.values()].some(({ retryAt }) => retryAt <= Date.now());
    if (isDue) await this.ownerChanged();
    const sides = [...this.#pipelines.keys()];
    const owners = await Promise.all(sides.map((side) => this.#database(side).feed.beat()));
    if (!owners.includes(true)) await this.ownerChanged();
  }

  /**
   * Waits until a side's feed is applied up to a position.
   * @throws BarrierTimeoutError
   */
  waitFor(from: SideName, position: number, timeoutMs: number): Promise<void> {
    return this.#positions[from].waitFor(position, timeoutMs);
  }

  /** Who applies a side's feed; somebody else, where a handover is finished while nothing is carried. */
  async applierOf(from: SideName): Promise<Applier> {
    return this.#pipelines.get(from)?.applier ?? this.#standIn(from);
  }

  /** Ends all that is carried, for good. */
  async stop(): Promise<void> {
    await this.#turning.catch(() => undefined);
    for (const from of this.#pipelines.keys()) await this.#stopOne(from);
  }

  async #turn(): Promise<void> {
    const directions = directionsOf(await this.fences());
    if (this.#options.signal.aborted) return;
    for (const [from, { direction, refused }] of this.#pipelines) {
      const stays = directions.some((wanted) => sameDirection(direction, wanted));
      if (!stays || refused) await this.#stopOne(from);
    }
    const failed = await this.#startMissing(directions);
    const first = (from: SideName): number => (from === directions[0]?.from ? 0 : 1);
    this.#pipelines = new Map([...this.#pipelines].sort(([a], [b]) => first(a) - first(b)));
    // Where nothing is carried at all, the caller has to know.
    if (failed.length > 0 && this.#pipelines.size === 0) throw failed[0];
    for (const error of failed) this.#options.onStumble(error);
  }

  /** One direction that can't be begun does not keep the other one from it. @returns errors that were not reported before */
  async #startMissing(directions: readonly Direction[]): Promise<unknown[]> {
    const wanted = new Set(directions.map(({ from }) => from));
    for (const from of this.#unstarted.keys()) if (!wanted.has(from)) this.#unstarted.delete(from);
    const unreported: unknown[] = [];
    for (const direction of directions) {
      const { from } = direction;
      if (this.#pipelines.has(from)) continue;
      try {
        this.#pipelines.set(from, await this.#startOne(direction));
        // Only now: while it is tried again, what was wrong counts.
        this.#unstarted.delete(from);
      } catch (error) {
        const known = this.#unstarted.get(from);
        const problem = notCarried(from, error, known);
        this.#unstarted.set(from, problem);
        if (problem.message !== known?.message || this.#pipelines.size === 0)
          unreported.push(error);
      }
    }
    return unreported;
  }

  async #startOne(direction: Direction): Promise<Pipeline> {
    const { from, to } = direction;
    const { mapping, redisUrl, log, onStumble } = this.#options;
    const pipeline = await Pipeline.start({
      mapping,
      direction,
      source: this.#database(from),
      target: this.#database(to),
      redisUrl,
      log,
      onApplied: (position) => this.#positions[from].reached(position),
      onParked: (parked) => this.#sayParked(parked),
      onRefused: () => void this.ownerChanged().catch(onStumble),
    });
    this.#positions[from].reached(pipeline.applier.position);
    return pipeline;
  }

  async #stopOne(from: SideName): Promise<void> {
    await this.#pipelines.get(from)?.stop();
    this.#pipelines.delete(from);
  }

  async #standIn(from: SideName): Promise<Applier> {
    const [source, target] = [this.#database(from), this.#database(otherSide(from))];
    const { epoch } = await target.store.fences();
    return new Applier({
      feed: source.feed,
      reveal: secretHydrator(this.#options.mapping, source),
      target,
      epoch,
      position: await target.store.appliedPosition(),
      onApplied: () => undefined,
      onParked: (parked) => this.#sayParked(parked),
      onRefused: () => undefined,
    });
  }

  #sayParked(parked: readonly ParkedChange[]): void {
    const { log, mapping } = this.#options;
    for (const { table, key, position, reason } of parked) {
      const change = { capability: mapping.capability, table, key, position };
      if (reason === null) log.warn(change, 'a change is parked behind another one');
      else log.error({ ...change, reason }, "a change can't be applied and is parked");
    }
  }

  #database(side: SideName): SideDatabase {
    return this.#options.databases[side];
  }
}

function notCarried(
  from: SideName,
  error: unknown,
  known: ApplierProblem | undefined,
): ApplierProblem {
  const now = Date.now();
  return {
    message: `changes of ${from} are not carried: ${errorText(error)}`,
    since: known?.since ?? now,
    attempts: (known?.attempts ?? 0) + 1,
    retryAt: now + RETRY_MS,
    lost: false,
  };
}
