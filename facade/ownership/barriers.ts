import type { HttpClient } from '../../chassis/index.ts';
import type { Capability } from '../match/index.ts';
import type { OwnershipCache } from './ownership-cache.ts';
import type { OwnWrites } from './own-writes.ts';

const PACE_MS = 25;
/** After a barrier that failed: the engine may be away, and reads are safe with the owner. */
const FAILED_PACE_MS = 250;
const TIMEOUT_MS = 3_000;

interface Lane {
  capability: Capability;
  underWay: Promise<boolean> | undefined;
  following: Promise<boolean> | undefined;
  notBefore: number;
}

/**
 * Asks the engine whether what was written has reached the other side, so that those who wrote may
 * read there. One question at a time for each capability, and none while nobody waits for it.
 */
export class Barriers {
  readonly #engine: HttpClient;
  readonly #ownershipCache: OwnershipCache;
  readonly #ownWrites: OwnWrites;
  #lanes: readonly Lane[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(engine: HttpClient, ownershipCache: OwnershipCache, ownWrites: OwnWrites) {
    this.#engine = engine;
    this.#ownershipCache = ownershipCache;
    this.#ownWrites = ownWrites;
  }

  /** Serves these capabilities from now on. */
  adopt(capabilities: readonly Capability[]): void {
    const before = new Map(this.#lanes.map((lane) => [lane.capability.name, lane]));
    this.#lanes = capabilities.map((capability) => {
      const lane = before.get(capability.name) ?? {
        capability,
        underWay: undefined,
        following: undefined,
        notBefore: 0,
      };
      lane.capability = capability;
      return lane;
    });
  }

  /** Begins to settle notes: by now all that was written before must be noted. */
  start(): void {
    this.#timer = setInterval(() => this.#settleNotes(), PACE_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #settleNotes(): void {
    const now = performance.now();
    for (const lane of this.#lanes) {
      if (lane.underWay || now < lane.notBefore || !lane.capability.replicated) continue;
      const { replicaReady } = this.#ownershipCache.ofDefault(lane.capability);
      if (replicaReady && this.#ownWrites.of(lane.capability).hasUnsettled) void this.#run(lane);
    }
  }

  /**
   * Waits until everything committed at the owner before this call has reached the other side.
   * @returns false when that could not be proved
   */
  pass(capability: Capability): Promise<boolean> {
    if (!capability.replicated) return Promise.resolve(true);
    const lane = this.#lanes.find((each) => each.capability.name === capability.name);
    if (!lane) return Promise.resolve(false);
    if (!lane.underWay) return this.#run(lane);
    // The one under way began too early to prove anything about now.
    lane.following ??= lane.underWay.then(() => {
      lane.following = undefined;
      return this.#run(lane);
    });
    return lane.following;
  }

  #run(lane: Lane): Promise<boolean> {
    lane.underWay ??= this.#ask(lane).then((passed) => {
      lane.underWay = undefined;
      lane.notBefore = performance.now() + (passed ? PACE_MS : FAILED_PACE_MS);
      return passed;
    });
    return lane.underWay;
  }

  async #ask({ capability }: Lane): Promise<boolean> {
    const unreplicated = this.#ownWrites.of(capability);
    const digest = this.#ownershipCache.digest(capability);
    const barrier = unreplicated.beginBarrier();
    try {
      const answer = await this.#engine.call('GET', `/barrier/${capability.name}`, {
        timeoutMs: TIMEOUT_MS,
      });
      // Which side is the other one may have changed while the engine waited.
      const moved = this.#ownershipCache.digest(capability) !== digest;
      if (answer.status !== 200 || moved) return false;
      unreplicated.settle(barrier);
      return true;
    } catch {
      return false;
    }
  }
}
