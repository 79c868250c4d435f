import type { Redis } from 'ioredis';
import type { Logger, OperatorToken } from '../../chassis/index.ts';
import type { SideName } from '../../routing/side.ts';
import { redisThatMayBeAway } from '../../chassis/redis/index.ts';
import { ROUTING_CHANNEL } from '../../routing/index.ts';
import type { RoutingState } from '../../routing/index.ts';
import { holdingTruth, movedTruth } from './routing-truth.ts';
import type { Move, RoutingTruth } from './routing-truth.ts';

/** Redis may take commands and never answer; nothing here waits longer, in ms. */
const COMMAND_MS = 500;

/**
 * Tells the facades who owns what: pushed over Redis, and kept to be asked for. With Redis away the
 * facades ask, and learn from refusals; so nothing here throws or waits for long.
 */
export class RoutingPublisher {
  readonly #states = new Map<string, RoutingState>();
  readonly #redis: Redis | undefined;
  readonly #token: OperatorToken;
  #generation = 0;

  /** @param token seals what is told, so that a facade takes it from nobody else */
  constructor(redisUrl: string | undefined, log: Logger, token: OperatorToken) {
    this.#token = token;
    if (redisUrl === undefined) return;
    this.#redis = redisThatMayBeAway(redisUrl, log, { commandTimeout: COMMAND_MS });
    // What was told while Redis was away, or before it lost its memory.
    this.#redis.on('ready', () => {
      for (const state of this.#states.values()) void this.#send(state);
    });
    this.#redis.connect().catch(() => undefined);
  }

  /** Newest states of all capabilities. */
  get states(): readonly RoutingState[] {
    return [...this.#states.values()];
  }

  /** Whether updates can be pushed at the moment. */
  get live(): boolean {
    return this.#redis?.status === 'ready';
  }

  /** Tells what is true now; older truth than what has been told is kept back. */
  async tell(capability: string, truth: RoutingTruth): Promise<void> {
    const told = this.#states.get(capability);
    if (told !== undefined && truth.epoch < told.epoch) return;
    // By the clock, so that it goes on growing in the next engine.
    this.#generation = Math.max(this.#generation + 1, Date.now());
    const state = { capability, ...truth, generation: this.#generation };
    this.#states.set(capability, state);
    await this.#send(state);
  }

  /** Says that ownership is about to move to an epoch, so that new writes had better wait. */
  async hold(move: Move): Promise<void> {
    const truth = holdingTruth(this.#states.get(move.capability), move);
    if (truth) await this.tell(move.capability, truth);
  }

  /** Says who the owner is when a handover has come to its end. */
  async owner(move: Move, owner: SideName, epoch: number): Promise<void> {
    const truth = movedTruth(this.#states.get(move.capability), move, owner, epoch);
    if (truth) await this.tell(move.capability, truth);
  }

  close(): void {
    this.#redis?.disconnect();
  }

  async #send(state: RoutingState): Promise<void> {
    if (this.#redis?.status !== 'ready') return;
    const text = this.#token.seal(ROUTING_CHANNEL, JSON.stringify(state));
    await this.#redis
      .multi()
      .hset(ROUTING_CHANNEL, state.capability, text)
      .publish(ROUTING_CHANNEL, text)
      .exec()
      .catch(() => undefined);
  }
}
