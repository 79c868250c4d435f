import { bump, rowOf } from '../counting/index.ts';
import { countedFor } from '../match/index.ts';
import type { Capability } from '../match/index.ts';
import type { FacadeDeps } from './facade-deps.ts';
import { heldTooLong, tooManyHeld } from './refusals.ts';
import type { RequestContext } from './request-context.ts';

/** How long a write waits for an update when the engine asks to hold; then it asks the fence, if that can say FENCED. */
const HINT_MS = 250;
/** A handover takes milliseconds; during a longer one a refused write asks less and less often. */
const FIRST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 200;
const WAIT_GROWTH = 1.3;

/** One request that waits while ownership moves. */
export class Hold {
  /** The capability that moves, where it is known. */
  moving: Capability | undefined;
  /** When it began to wait, or was sent to the fence that refused it first. */
  readonly since: number;
  readonly #context: RequestContext;
  readonly #deps: FacadeDeps;
  /** Of the body, which waits with it. */
  readonly #bytes: number;
  #patientUntil: number | undefined;
  #waitMs = FIRST_WAIT_MS;

  constructor(context: RequestContext, deps: FacadeDeps, since: number, bytes: number) {
    this.#context = context;
    this.#deps = deps;
    this.since = since;
    this.#bytes = bytes;
    context.form.trace.span?.addEvent('held');
  }

  /**
   * Waits as the engine asked.
   * @param version of the ownership cache: a change since then needs no wait
   * @returns false when it has waited long enough, and should be sent all the same
   */
  async forHandover(version: number): Promise<boolean> {
    const { kind } = this.#context.match;
    const asksFence = kind === 'write' && this.moving?.finishesFirst !== true;
    const now = performance.now();
    this.#patientUntil ??= now + (asksFence ? HINT_MS : this.#deps.limits.holdMs);
    const left = this.#patientUntil - now;
    if (left <= 0 && (asksFence || kind === 'read')) return false;
    await this.#pause(version, left);
    return true;
  }

  /** Waits after a fence has refused the write: all that it refused wait, and the first that is accepted wakes the others. */
  async forUpdate(version: number): Promise<void> {
    const wait = this.#waitMs * (1 + Math.random());
    this.#waitMs = Math.min(LONGEST_WAIT_MS, this.#waitMs * WAIT_GROWTH);
    this.#patientUntil = undefined;
    await this.#pause(version, wait);
  }

  /** Refuses a write that would wait too long, or beside too many others. */
  async #pause(version: number, ms: number): Promise<void> {
    const { match } = this.#context;
    if (match.kind !== 'write') {
      await this.#nextUpdate(version, ms);
      return;
    }
    const { counters, limits } = this.#deps;
    const left = this.since + limits.holdMs - performance.now();
    if (left <= 0) {
      this.#context.refuse(heldTooLong());
      return;
    }
    const counted = countedFor(match);
    const held = counters.heldNow[rowOf(counted)] ?? 0;
    if (held >= limits.heldWrites || counters.heldBytes + this.#bytes > limits.heldBytes) {
      this.#context.refuse(tooManyHeld());
      return;
    }
    bump(counters.heldNow, counted);
    counters.heldBytes += this.#bytes;
    await this.#nextUpdate(version, Math.min(ms, left));
    bump(counters.heldNow, counted, -1);
    counters.heldBytes -= this.#bytes;
  }

  async #nextUpdate(version: number, ms: number): Promise<void> {
    await this.#deps.ownershipCache.nextUpdate(version, ms, (wake) => {
      this.#context.underWay = { cancel: wake, isHeld: true };
    });
  }
}
