import { LATE, within } from '../../../chassis/index.ts';
import type { FeedReader } from '../../sides/side-database.ts';
import type { Slice } from '../../ledger/store.ts';

/**
 * Slices on their way before a small one has to wait: while the applier is at work, changes gather
 * to a larger slice, or a queue of tiny ones would grow behind it.
 */
const MAX_UNDER_WAY = 2;
/** How far the relay runs ahead of the applier, in changes: Redis is transport, not storage. */
const MAX_AHEAD = 20_000;
/** `queue.add` can hang for ever while Redis is away. */
const PUBLISH_MS = 1_000;
const RETRY_MS = 250;

interface RelayOptions {
  readonly feed: FeedReader;
  /** How many changes a slice should hold at the moment. */
  readonly limit: () => number;
  readonly applied: () => number;
  readonly publish: (slice: Slice) => Promise<void>;
}

/** Publishes a feed, slice by slice. What gets lost on the way, the applier reads for itself. */
export class Relay {
  readonly #options: RelayOptions;
  #sent = 0;
  #underWay: number[] = [];
  #started = false;
  #running: Promise<void> | undefined;
  #again = false;
  #failedAt: number | null = null;
  /** Redis has been given a slice and has not answered yet. */
  #unanswered = false;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  get sent(): number {
    return this.#sent;
  }

  /** Whether the newest attempt to publish went well. */
  get working(): boolean {
    return this.#failedAt === null;
  }

  start(position: number): void {
    this.#sent = position;
    this.#underWay = [];
    this.#started = true;
    this.kick();
  }

  /** Publishes what the feed holds beyond what was sent; to be called when it or the applier moved. */
  kick(): void {
    this.#again = true;
    if (!this.#started || this.#running !== undefined) return;
    if (this.#failedAt !== null && performance.now() - this.#failedAt < RETRY_MS) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async stop(): Promise<void> {
    this.#started = false;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        while (await this.#sendOne());
        this.#failedAt = null;
      } catch {
        this.#failedAt = performance.now();
        return;
      }
    }
  }

  async #sendOne(): Promise<boolean> {
    const { feed, applied } = this.#options;
    if (!this.#started) return false;
    const limit = this.#options.limit();
    const position = applied();
    // The applier may have overtaken the queue by reading for itself.
    this.#sent = Math.max(this.#sent, position);
    this.#underWay = this.#underWay.filter((upto) => upto > position);
    if (this.#sent - position > MAX_AHEAD) return false;
    // A Redis that hangs would be given the same slice with every attempt, and keep each of them.
    if (this.#unanswered) throw new Error('Redis has not answered yet');
    const busy = this.#underWay.length >= MAX_UNDER_WAY;
    if (busy && (await feed.last(this.#sent + limit)) - this.#sent < limit) return false;
    const slice = await feed.read(this.#sent, limit);
    if (slice.upto === this.#sent) return false;
    if ((await within(PUBLISH_MS, this.#publish(slice))) === LATE) {
      throw new Error('Redis did not answer');
    }
    return true;
  }

  /** What Redis takes after the deadline is sent, too. */
  async #publish(slice: Slice): Promise<void> {
    this.#unanswered = true;
    try {
      await this.#options.publish(slice);
      this.#sent = Math.max(this.#sent, slice.upto);
      this.#underWay.push(slice.upto);
    } finally {
      this.#unanswered = false;
    }
  }
}
