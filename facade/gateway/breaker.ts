import { createRequire } from 'node:module';
import type * as Cockatiel from 'cockatiel';
import type { Logger } from '../../chassis/index.ts';
import type { BreakerConfig } from '../../routing/index.ts';
import type { Breaker, BreakerState, Verdict } from '../upstream/index.ts';

const require = createRequire(import.meta.url);

/** Loaded by the first breaker: it takes a tenth of the time in which a facade starts. */
function cockatiel(): typeof Cockatiel {
  return require('cockatiel') as typeof Cockatiel;
}

/**
 * A circuit breaker of one upstream. What counts as too many failures is cockatiel's to say; its policy around
 * that wants a promise for each request, so the three states are told here.
 */
export class CircuitBreaker implements Breaker {
  onOpen: (() => void) | undefined;
  opened = 0;
  readonly #upstream: string;
  readonly #config: BreakerConfig;
  readonly #log: Logger;
  #state: BreakerState = 'closed';
  /** Grows with each change of state: what was sent before says nothing about the state since. */
  #generation = 1;
  readonly #closed = cockatiel().CircuitState.Closed;
  #answers: Cockatiel.SamplingBreaker;
  #answeredAt = 0;
  #openUntil = 0;
  /** Of the requests let through while half-open. */
  #underWay = 0;
  #passed = 0;

  constructor(upstream: string, config: BreakerConfig, log: Logger) {
    this.#upstream = upstream;
    this.#config = config;
    this.#log = log;
    this.#answers = this.#noAnswers();
  }

  get state(): BreakerState {
    if (this.#isOutdated) return 'closed';
    return this.#state === 'open' && this.msLeft === 0 ? 'half_open' : this.#state;
  }

  get msLeft(): number {
    return this.#state === 'open' ? Math.max(0, this.#openUntil - performance.now()) : 0;
  }

  /**
   * Whether nothing has been sent for a window since it could have been, so that what failed before says nothing
   * any more. A side that takes over with a handover gets all requests at once, and must not refuse most of them.
   */
  get #isOutdated(): boolean {
    if (this.#state === 'closed' || this.#underWay > 0) return false;
    return performance.now() - this.#openUntil > this.#config.windowMs;
  }

  enter(): number {
    if (this.#isOutdated) this.#close();
    if (this.#state === 'closed') return this.#generation;
    if (this.#state === 'open') {
      if (this.msLeft > 0) return 0;
      this.#become('half_open');
      this.#passed = 0;
    }
    if (this.#underWay + this.#passed >= this.#config.probes) return 0;
    this.#underWay += 1;
    return this.#generation;
  }

  leave(ticket: number, verdict: Verdict): void {
    if (ticket !== this.#generation) return;
    if (this.#state === 'half_open') this.#probed(verdict);
    else if (verdict !== undefined && this.#isTooMuch(verdict)) this.#open();
  }

  #probed(verdict: Verdict): void {
    this.#underWay -= 1;
    if (verdict === 'ill') this.#open();
    if (verdict !== 'well') return;
    this.#passed += 1;
    if (this.#passed < this.#config.probes) return;
    this.#close();
    this.#log.info(
      { upstream: this.#upstream },
      'an upstream is well again: its breaker is closed',
    );
  }

  #isTooMuch(verdict: 'well' | 'ill'): boolean {
    const now = performance.now();
    // The library drops one part of its window with each answer, however long there was none.
    if (now - this.#answeredAt > this.#config.windowMs) this.#answers = this.#noAnswers();
    this.#answeredAt = now;
    if (verdict === 'ill') return this.#answers.failure(this.#closed);
    this.#answers.success(this.#closed);
    return false;
  }

  #close(): void {
    this.#become('closed');
    this.#answers = this.#noAnswers();
  }

  #open(): void {
    const { openMs } = this.#config;
    this.#become('open');
    this.#underWay = 0;
    this.#openUntil = performance.now() + openMs;
    this.opened += 1;
    const facts = { upstream: this.#upstream, openMs };
    this.#log.warn(facts, 'an upstream is ill: its breaker is open, and nothing is sent to it');
    this.onOpen?.();
  }

  #become(state: BreakerState): void {
    this.#state = state;
    this.#generation += 1;
  }

  #noAnswers(): Cockatiel.SamplingBreaker {
    const { SamplingBreaker } = cockatiel();
    const { failures: threshold, windowMs: duration, minimum } = this.#config;
    return new SamplingBreaker({ threshold, duration, minimumRps: minimum / (duration / 1_000) });
  }
}
