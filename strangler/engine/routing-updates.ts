import { defaultGateLimits } from '../ownership/handover/gates.ts';
import type { GateLimits } from '../ownership/handover/gates.ts';
import type { ReplicationStatus } from '../replication/replication-status.ts';
import { restOf, twiceOwned } from '../replication/direction.ts';
import { fencesIn } from '../sides/facts.ts';
import type { Facts } from '../sides/facts.ts';
import { truthOf } from './routing-truth.ts';
import type { OpenCapability } from './open-capability.ts';
import type { RoutingPublisher } from './routing-publisher.ts';
import { ownerOf } from '../ownership/owner.ts';

const REPEAT_MS = 1_000;
/** A look comes after a second at most, in which a quiet feed gets a heartbeat or two. */
const FEW = 2;

/** Publishes who owns one capability to the facades: when that changes, and once a second. */
export class RoutingUpdates {
  readonly #capability: string;
  readonly #publisher: RoutingPublisher;
  readonly #limits: GateLimits;
  #published = '';
  #publishedAt = 0;
  /** The last position of the owner's feed. */
  #last = 0;

  constructor(capability: string, publisher: RoutingPublisher, limits = defaultGateLimits) {
    this.#capability = capability;
    this.#publisher = publisher;
    this.#limits = limits;
  }

  /**
   * Must not run beside a handover, which publishes by itself: an older state could arrive last.
   * @param isCalm whether the rows of the side that follows can be relied on
   * @returns whether all is as it was at the last look, with nothing under way
   */
  async publish({ data }: OpenCapability, facts: Facts, isCalm = true): Promise<boolean> {
    const fences = await fencesIn(facts);
    const owner = ownerOf(restOf(fences));
    const sure = isCalm && owner !== null && twiceOwned(fences).length === 0;
    const status = sure ? await data.status(facts) : undefined;
    const truth = truthOf(fences, status !== undefined && this.#isReplicaReady(status));
    const text = JSON.stringify(truth);
    const isNews = text !== this.#published;
    const isStill = !isNews && status !== undefined && this.#isStill(status);
    if (!isNews && performance.now() - this.#publishedAt < REPEAT_MS) return isStill;
    this.#published = text;
    this.#publishedAt = performance.now();
    await this.#publisher.tell(this.#capability, truth);
    return isStill;
  }

  /** A handover has published something else meanwhile. */
  forget(): void {
    this.#published = '';
  }

  #isReplicaReady({ replicaReady, feed }: ReplicationStatus): boolean {
    return replicaReady && feed.lagMs <= this.#limits.lagMs;
  }

  /** Whether no row is copied, and the feed has grown by no more than heartbeats. */
  #isStill({ feed, backfill }: ReplicationStatus): boolean {
    const grown = feed.last - this.#last;
    this.#last = feed.last;
    const isCopying = backfill.pairs.length > 0 && !backfill.complete;
    return !isCopying && feed.lag === 0 && grown <= FEW;
  }
}
