import type { Logger } from '../../../chassis/index.ts';
import type { Direction } from '../direction.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { CommitWatch, ParkedChange, SideDatabase } from '../../sides/side-database.ts';
import { Applier } from './applier.ts';
import { secretHydrator } from './hydrate-secrets.ts';
import type { QueueSource } from './queue-source.ts';
import { DirectSource } from './slice-source.ts';
import type { SliceSource } from './slice-source.ts';

/**
 * How often to look whether something was missed, in ms: a job that Redis has lost, or a commit, where
 * the database tells of none. Looking 20 times a second took half of an idle engine's processor time.
 */
const LOOK_MS = { heard: 250, unheard: 50 } as const;

interface PipelineOptions {
  readonly mapping: Mapping;
  readonly direction: Direction;
  readonly source: SideDatabase;
  readonly target: SideDatabase;
  /** Absent: slices are read straight from the feed. */
  readonly redisUrl: string | undefined;
  readonly log: Logger;
  readonly onApplied: (position: number) => void;
  readonly onParked: (parked: readonly ParkedChange[]) => void;
  readonly onRefused: () => void;
}

/** Everything that moves changes in one direction, from the owner's commit to the other side. */
export class Pipeline {
  readonly direction: Direction;
  readonly applier: Applier;
  readonly #options: PipelineOptions;
  readonly #direct = new DirectSource();
  readonly #queue: SliceSource;
  readonly #watch: CommitWatch;
  #next: NodeJS.Timeout | undefined;
  #stopped = false;
  #seen = -1;
  #looking: Promise<void> | undefined;

  private constructor(
    options: PipelineOptions,
    position: number,
    incarnation: string,
    Queued: typeof QueueSource | undefined,
  ) {
    this.#options = options;
    this.direction = options.direction;
    const { mapping, source, target, redisUrl, log } = options;
    const { capability } = mapping;
    const { onApplied, onParked, onRefused } = options;
    const { feed } = source;
    const { epoch } = options.direction;
    const moved = (applied: number): void => {
      onApplied(applied);
      this.#queue.kick();
    };
    const reveal = secretHydrator(mapping, source);
    const told = { reveal, onApplied: moved, onParked, onRefused };
    this.applier = new Applier({ feed, target, epoch, position, ...told });
    const limit = (): number => target.sliceLimit;
    const queued = { capability, feedOf: source.side, feed, limit, log };
    this.#queue =
      redisUrl === undefined || Queued === undefined
        ? this.#direct
        : new Queued({ ...queued, redisUrl, incarnation });
    this.#watch = source.watch(
      () => this.kick(),
      (reason) => this.#sayLost(reason),
    );
  }

  static async start(options: PipelineOptions): Promise<Pipeline> {
    const position = await options.target.store.appliedPosition();
    const installation = await options.source.installation();
    // Loading BullMQ takes a third of a second of processor, which every `fig` command would pay.
    const { QueueSource: Queued } = options.redisUrl ? await import('./queue-source.ts') : {};
    const pipeline = new Pipeline(options, position, installation?.incarnation ?? '', Queued);
    try {
      await pipeline.#begin();
      return pipeline;
    } catch (error) {
      // Another one is begun in its place.
      await pipeline.stop();
      throw error;
    }
  }

  async #begin(): Promise<void> {
    await this.#direct.start(this.applier);
    // A backlog comes the usual way, too; where that is not there, the first look finds out.
    if (this.#queue !== this.#direct) await this.#queue.start(this.applier);
    else this.kick();
    this.#lookIn(LOOK_MS.unheard);
  }

  /** Whether the target has turned this direction's applier away. */
  get refused(): boolean {
    return this.applier.stopped;
  }

  /** How slices travel at the moment. */
  get transport(): 'queue' | 'direct' {
    return this.#queue !== this.#direct && this.#queue.working ? 'queue' : 'direct';
  }

  get sent(): number {
    return Math.max(this.#queue.sent, this.applier.position);
  }

  /** There may be something new in the feed. */
  kick(): void {
    this.#queue.kick();
    if (!this.#queue.working) this.#direct.kick();
  }

  /** Somebody waits: reads what the queue has not brought yet. */
  overtake(): void {
    this.#direct.kick();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#next);
    this.#watch.close();
    await this.#looking;
    await this.applier.stop();
    await this.#direct.stop();
    if (this.#queue !== this.#direct) await this.#queue.stop();
  }

  /** Changes go on: the feed is looked at every few ms, whoever tells of commits. */
  #sayLost(reason: string | null): void {
    const { log, mapping, source } = this.#options;
    const about = { capability: mapping.capability, side: source.side };
    if (reason === null) log.info(about, 'commits are heard of again');
    else log.warn({ ...about, reason }, 'commits are not heard of; the feed is looked at instead');
  }

  #lookIn(ms: number): void {
    if (this.#stopped) return;
    this.#next = setTimeout(() => {
      const isHeard = this.#watch.ensure();
      this.#looking = this.#look().finally(() => {
        this.#looking = undefined;
        this.#lookIn(isHeard ? LOOK_MS.heard : LOOK_MS.unheard);
      });
    }, ms);
  }

  /** The safety net: whatever was lost on the way shows as a position that stands still. */
  async #look(): Promise<void> {
    this.kick();
    const { position } = this.applier;
    const stands = position === this.#seen;
    this.#seen = position;
    if (!stands || position >= (await this.#last(position + 1))) return;
    // What was sent may be lost; what was not is still to come the usual way.
    this.#direct.kick(this.transport === 'queue' ? Math.max(this.sent, position + 1) : undefined);
  }

  async #last(enough: number): Promise<number> {
    try {
      return await this.#options.source.feed.last(enough);
    } catch (error) {
      this.#options.log.warn({ err: error }, 'the feed can not be read');
      return 0;
    }
  }
}
