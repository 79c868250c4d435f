import { defaultGateLimits } from '../handover/gates.ts';
import type { GateLimits } from '../handover/gates.ts';
import type { SideName } from '../side.ts';
import { restOf, twiceOwned } from '../direction.ts';
import { allFencesOf } from './open-capability.ts';
import { truthOf } from './routing-truth.ts';
import type { OpenCapability } from './open-capability.ts';
import type { RoutingPublisher } from './routing-publisher.ts';
import { ownerOf } from './stage.ts';

const REPEAT_MS = 1_000;

/** Publishes who owns one capability to the facades: when that changes, and once a second. */
export class RoutingUpdates {
  readonly #capability: string;
  readonly #publisher: RoutingPublisher;
  readonly #limits: GateLimits;
  #published = '';
  #publishedAt = 0;

  constructor(capability: string, publisher: RoutingPublisher, limits = defaultGateLimits) {
    this.#capability = capability;
    this.#publisher = publisher;
    this.#limits = limits;
  }

  /**
   * Must not run beside a handover, which publishes by itself: an older state could arrive last.
   * @param isCalm whether the rows of the side that follows can be relied on
   */
  async publish(opened: OpenCapability, isCalm = true): Promise<void> {
    const fences = await allFencesOf(opened);
    const owner = ownerOf(restOf(fences));
    const sure = isCalm && owner !== null && twiceOwned(fences).length === 0;
    const ready = sure && (await this.#replicaReady(opened, owner));
    const truth = truthOf(fences, ready);
    const text = JSON.stringify(truth);
    if (text === this.#published && performance.now() - this.#publishedAt < REPEAT_MS) return;
    this.#published = text;
    this.#publishedAt = performance.now();
    await this.#publisher.tell(this.#capability, truth);
  }

  /** A handover has published something else meanwhile. */
  forget(): void {
    this.#published = '';
  }

  async #replicaReady({ data }: OpenCapability, owner: SideName): Promise<boolean> {
    const { replicaReady, owner: seen, feed } = await data.status();
    return seen === owner && replicaReady && feed.lagMs <= this.#limits.lagMs;
  }
}
