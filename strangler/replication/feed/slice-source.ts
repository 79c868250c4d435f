import type { Slice } from '../../ledger/store.ts';

/** Who takes slices, in any order and any number of times. */
export interface SliceSink {
  /** How far the feed has been applied. */
  readonly position: number;
  /** Resolves when the slice has been applied or was old; rejects when it can't be applied now. */
  deliver(slice: Slice): Promise<void>;
  /**
   * Reads what the feed holds, up to a position or to its end, and applies it, unless a failed change
   * has to wait for its turn.
   */
  catchUp(upto?: number): Promise<void>;
}

/** A way for slices to get from a feed to its applier. */
export interface SliceSource {
  start(sink: SliceSink): Promise<void>;
  /** The feed has grown. Never throws, never waits. */
  kick(): void;
  /** Whether slices get through this way at the moment. */
  readonly working: boolean;
  /** Position up to which slices are on their way. */
  readonly sent: number;
  stop(): Promise<void>;
}

/** Straight from the database: for gaps, for drains, and for days without Redis. */
export class DirectSource implements SliceSource {
  readonly working = true;
  #sink: SliceSink | undefined;
  #running: Promise<void> | undefined;
  #upto = 0;

  get sent(): number {
    return this.#sink?.position ?? 0;
  }

  async start(sink: SliceSink): Promise<void> {
    this.#sink = sink;
  }

  /** @param upto how far to read; to the feed's end when left out */
  kick(upto = Number.POSITIVE_INFINITY): void {
    this.#upto = Math.max(this.#upto, upto);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async stop(): Promise<void> {
    this.#sink = undefined;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#upto > 0) {
      const upto = this.#upto;
      this.#upto = 0;
      // The applier keeps the reason of a failure, and says when its next try is due.
      await this.#sink?.catchUp(upto).catch(() => undefined);
    }
  }
}
