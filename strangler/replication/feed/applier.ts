import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises';
import { backoff, errorText } from '../../../chassis/index.ts';
import { FeedLostError, NotTargetError } from '../../sides/side-database.ts';
import type { FeedReader, ParkedChange, SideDatabase } from '../../sides/side-database.ts';
import type { Slice } from '../../ledger/store.ts';
import { ApplyThrottle } from './apply-throttle.ts';
import type { SecretHydrator } from './hydrate-secrets.ts';
import type { SliceSink } from './slice-source.ts';

const RETRY = { firstMs: 100, longestMs: 5_000 };

/** Why changes are not being applied. */
export interface ApplierProblem {
  readonly message: string;
  readonly since: number;
  readonly attempts: number;
  readonly retryAt: number;
  /** Whether the feed no longer holds what comes next: no retry can help, only a new copy. */
  readonly lost: boolean;
}

interface ApplierOptions {
  readonly feed: FeedReader;
  readonly target: SideDatabase;
  /** The target's epoch, at which it must stay while this applier works. */
  readonly epoch: number;
  readonly position: number;
  /** Adds what the feed may not hold to a slice that is about to be applied. */
  readonly reveal?: SecretHydrator | undefined;
  readonly onApplied: (position: number) => void;
  /** Called when changes could not be applied and were parked. */
  readonly onParked?: (parked: readonly ParkedChange[]) => void;
  /** Called once when the target refuses this applier: ownership has moved on. */
  readonly onRefused: () => void;
}

/**
 * Brings one side's feed to the other, in order and exactly once in effect, whatever order slices
 * come in: an old one is dropped, and what is missing before a new one is read from the feed.
 */
export class Applier implements SliceSink {
  readonly #options: ApplierOptions;
  readonly #stopping = new AbortController();
  readonly #throttle = new ApplyThrottle(performance.now());
  #position: number;
  #queue: Promise<unknown> = Promise.resolve();
  #drains = 0;
  #hurry = new AbortController();
  #problem: ApplierProblem | null = null;

  constructor(options: ApplierOptions) {
    this.#options = options;
    this.#position = options.position;
  }

  /** How far the feed has been applied. */
  get position(): number {
    return this.#position;
  }

  get problem(): ApplierProblem | null {
    return this.#problem;
  }

  /** Whether it was stopped, or turned away by the target. */
  get stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  /**
   * Applies a slice, in short transactions with pauses for the target's own work.
   * @returns when it has been applied or was old; also when it is left for later, because the
   *   applier is stopped or a failed change before it waits for its next try
   */
  async deliver(slice: Slice): Promise<void> {
    await this.#inTurn(async () => {
      // What came before it in the meantime may have failed.
      if (!this.#waiting) await this.#applyWhole(slice);
    });
  }

  async catchUp(upto = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.#waiting) return;
    await this.#inTurn(async () => {
      // What is written meanwhile comes the usual way.
      const found = (await this.#read()).upto > this.#position;
      const last = found ? Math.min(upto, await this.#options.feed.last(upto)) : 0;
      while (this.#position < last && !this.stopped) await this.#applyWhole(await this.#read());
    });
  }

  /**
   * Applies everything up to a position without pauses, straight from the feed.
   * @throws ApplyError, FeedLostError or NotTargetError when that can't be done; the signal's reason
   */
  async drainTo(position: number, signal?: AbortSignal): Promise<void> {
    this.#drains += 1;
    this.#hurry.abort();
    try {
      while (this.#position < position) {
        signal?.throwIfAborted();
        if (this.stopped) throw new NotTargetError('the applier was stopped');
        await this.#inTurn(async () => {
          if (this.#position >= position) return;
          await this.#applyOnce(await this.#revealed(await this.#read()));
        });
        // Nothing here waits by itself, and the rest of the process must not stand still.
        await immediate();
      }
    } finally {
      this.#drains -= 1;
      if (this.#drains === 0) this.#hurry = new AbortController();
    }
  }

  /** Runs `work` while this applier changes nothing. */
  async whileStill<T>(work: () => Promise<T>): Promise<T> {
    let result: T | undefined;
    await this.#inTurn(async () => {
      result = await work();
    });
    if (this.stopped) throw new NotTargetError('the applier was stopped');
    return result as T;
  }

  /**
   * Goes on from a position that the target was set to by other means: a new copy was begun.
   * @throws NotTargetError when the applier was stopped, and nothing was set
   */
  async moveTo(set: () => Promise<number>): Promise<void> {
    await this.whileStill(async () => {
      this.#position = await set();
      this.#problem = null;
      this.#options.onApplied(this.#position);
    });
  }

  /** Stops after the transaction that is under way, if any. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#hurry.abort();
    await this.#queue;
  }

  get #waiting(): boolean {
    return this.#problem !== null && this.#problem.retryAt > Date.now();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#queue.then(() => (this.stopped ? undefined : work()));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #applyWhole(slice: Slice): Promise<void> {
    while (this.#position < slice.upto && !this.stopped) {
      const gap = slice.after > this.#position;
      const next = gap ? await this.#read() : slice;
      // A slice beyond the feed's own end is none of this feed's.
      if (next.upto <= this.#position) return;
      await this.#applyParts(await this.#revealed(next));
    }
  }

  async #applyParts(slice: Slice): Promise<void> {
    const { after, upto } = slice;
    while (after <= this.#position && this.#position < upto && !this.stopped) {
      await this.#pause(await this.#applyOnce(slice));
    }
  }

  async #revealed(slice: Slice): Promise<Slice> {
    try {
      return (await this.#options.reveal?.(slice)) ?? slice;
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  /** @returns how long the target was busy with it, in ms */
  async #applyOnce(slice: Slice): Promise<number> {
    const { target, epoch, onApplied, onParked } = this.#options;
    try {
      const { position, heldMs, parked } = await target.applySlice(
        epoch,
        slice,
        this.#throttle.speedup,
      );
      if (parked.length > 0) onParked?.(parked);
      this.#problem = null;
      if (position !== this.#position) {
        this.#position = position;
        onApplied(position);
      }
      return heldMs;
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  async #read(): Promise<Slice> {
    try {
      const { feed, target } = this.#options;
      return await feed.read(this.#position, target.sliceLimit);
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  #failed(error: unknown): void {
    if (error instanceof NotTargetError) {
      this.#stopping.abort();
      this.#options.onRefused();
      return;
    }
    const attempts = (this.#problem?.attempts ?? 0) + 1;
    this.#problem = {
      message: errorText(error),
      since: this.#problem?.since ?? Date.now(),
      attempts,
      lost: error instanceof FeedLostError,
      retryAt: Date.now() + backoff(attempts, RETRY),
    };
  }

  /**
   * Leaves the target's write lock to others, unless there are none, or a handover waits for the end
   * of the feed.
   */
  async #pause(heldMs: number): Promise<void> {
    if (this.#drains > 0 || !this.#options.target.hasOtherWriters) {
      await immediate();
      return;
    }
    if (this.#throttle.isDue(performance.now())) await this.#lookBehind();
    const { signal } = this.#hurry;
    await delay(this.#throttle.pauseMs(heldMs), undefined, { signal }).catch(() => undefined);
  }

  /** A feed that can't be read now shows at the next reading. */
  async #lookBehind(): Promise<void> {
    const pending = await this.#options.feed.pending(this.#position).catch(() => undefined);
    const { changes = 0, since = null } = pending ?? {};
    const ms = since === null ? 0 : Date.now() - since;
    this.#throttle.observe({ changes, ms }, performance.now());
  }
}
