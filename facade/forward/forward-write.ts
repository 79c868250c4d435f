import { randomId, timeOrderedId } from '../../chassis/index.ts';
import { otherSide } from '../../strangler/routing/index.ts';
import type { SideName } from '../../strangler/routing/index.ts';
import { UpstreamCall, isWorthAnother } from './upstream-call.ts';
import type { Outcome } from './upstream-call.ts';
import { isKept, readBody } from './body.ts';
import type { Body } from './body.ts';
import { learnFence } from './fenced-answer.ts';
import type { FencedAnswer } from './fenced-answer.ts';
import type { Capability } from '../match/index.ts';
import { keyOf } from '../match/index.ts';
import type { FacadeDeps } from './facade-deps.ts';
import { bump, rowOf } from '../counting/index.ts';
import { firstMoving, isOwnerUnknown } from '../route/index.ts';
import type { Decision } from '../route/index.ts';
import { heldTooLong, ownerUnknown, tooLargeToHold, tooManyHeld, unanswered } from './refusals.ts';
import type { Slots } from '../upstream/index.ts';
import type { RequestContext, ResponseObserver } from './request-context.ts';

type Write = Extract<Decision, { kind: 'write' }>;

/** One attempt, and the version of the ownership cache before it. */
interface Try {
  readonly side: SideName;
  readonly version: number;
  readonly outcome: Outcome;
}

/** How long a write waits for an update when the engine asks to hold; then it asks the fence, if that can say FENCED. */
const HINT_MS = 250;
/** A handover takes milliseconds; after a longer one the write asks less and less often. */
const FIRST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 200;
const WAIT_GROWTH = 1.3;

/**
 * Sends one write to the side that owns its capability when it arrives there. FENCED proves that
 * nothing has happened, so the same write, with the same key and attempt id, may be sent again until a
 * side accepts it or the hold budget is spent.
 */
export class WriteForwarder implements ResponseObserver {
  readonly #context: RequestContext;
  readonly #decision: Write;
  readonly #deps: FacadeDeps;
  readonly #slots: Slots;
  readonly #headers: string[];
  /** Whether it may be sent again when it is unknown whether it was carried out. */
  readonly #repeatable: boolean;
  /** Since when the write has waited for a handover. */
  #heldSince: number | undefined;
  #heldFor: Capability | undefined;
  #sentAt = 0;
  #asked: SideName = 'legacy';
  #pinned = false;
  #waitMs = FIRST_WAIT_MS;
  #bodyBytes = 0;
  #hintSpent = false;
  /** The newest epoch in which a fence refused this write. */
  #fencedEpoch: number | undefined;
  /** Whose rows it changes: as the client says, until a fence names another key. */
  #key: string | undefined;
  #previous: SideName | undefined;
  #retried = false;

  constructor(context: RequestContext, decision: Write, deps: FacadeDeps, slots: Slots) {
    this.#context = context;
    this.#decision = decision;
    this.#deps = deps;
    this.#slots = slots;
    const { form } = context;
    const { capability } = decision;
    this.#key = capability && keyOf(capability, form);
    this.#headers = form.headers;
    this.#headers.push('x-fig-attempt', randomId());
    const needsKey = form.method === 'POST' && form.idempotencyKey === undefined;
    if (needsKey) this.#headers.push('idempotency-key', timeOrderedId());
    const honoured = capability ? capability.honoursKeys : deps.monolithHonoursKeys;
    this.#repeatable = form.idempotencyKey !== undefined || (needsKey && honoured);
  }

  /**
   * Sends the write. The usual write needs no promise; one that is refused or must wait goes on in `insist`.
   * @param fail called with unexpected errors
   */
  start(fail: (error: unknown) => void): void {
    readBody(this.#context, this.#deps.limits.bodyBytes, (body) => {
      try {
        const known = this.#pin();
        if (known === undefined) this.#begin(body, fail);
        else known.then(() => this.#begin(body, fail)).catch(fail);
      } catch (error) {
        fail(error);
      }
    });
  }

  #begin(body: Body, fail: (error: unknown) => void): void {
    if (this.#context.over) return;
    if (Buffer.isBuffer(body)) this.#bodyBytes = body.length;
    if (this.#refuseUnowned()) return;
    if (this.#mustWait() || this.#isOwnerUnknown()) {
      this.#insist(body).catch(fail);
      return;
    }
    const side = this.#owner();
    const { version } = this.#deps.ownershipCache;
    this.#send(side, body, (outcome) => {
      if (outcome.kind === 'answered' || outcome.kind === 'over') return;
      this.#insist(body, { side, version, outcome }).catch(fail);
    });
  }

  /** Without databases no fence would refuse a write at the wrong side, so an unknown owner is refused here. */
  #refuseUnowned(): boolean {
    const { capability } = this.#decision;
    if (capability === undefined || capability.replicated) return false;
    if (this.#deps.ownershipCache.of(capability).known) return false;
    const { writes } = capability.flags;
    const { refused } = this.#deps.flags.switch(writes);
    this.#context.refuse(ownerUnknown(writes, refused ?? 'it was not read yet'));
    return true;
  }

  async #insist(body: Body, first?: Try): Promise<void> {
    let tried = first;
    let side = first?.side;
    const { capability } = this.#decision;
    // After the barrier the default owner has the rows too, and can tell whose they are.
    if (!first && capability && this.#isOwnerUnknown()) await this.#deps.barriers.pass(capability);
    while (!this.#context.over) {
      if (!tried) {
        if (this.#mustWait() && !(await this.#waitForHint())) return;
        side ??= this.#owner();
        const { version } = this.#deps.ownershipCache;
        tried = { side, version, outcome: await this.#try(side, body) };
      }
      const { outcome } = tried;
      if (outcome.kind === 'fenced' && !isKept(body)) {
        this.#learn(tried.side, outcome.fence);
        this.#context.refuse(tooLargeToHold(this.#deps.limits.bodyBytes));
      } else if (outcome.kind === 'fenced') {
        side = await this.#fenced(tried.side, outcome.fence, tried.version);
      } else if (outcome.kind === 'answered') {
        this.#recordHold();
      } else if (outcome.kind === 'over') {
        return;
      } else if (isWorthAnother(outcome) && this.#isRepeatable(body) && !this.#retried) {
        // Its key makes that safe: a side that has done it already repeats its answer.
        this.#retried = true;
        bump(this.#deps.counters.retried, this.#main);
      } else {
        this.#context.refuse(unanswered({ ...outcome, sent: outcome.sent || this.#retried }));
      }
      tried = undefined;
    }
  }

  /** A write that a fence refused asks the fences; any other waits for an update first. */
  #mustWait(): boolean {
    return !this.#hintSpent && this.#fencedEpoch === undefined && this.#isHeld();
  }

  #isHeld(): boolean {
    const moving = firstMoving(this.#decision.changes, this.#context.form, this.#deps.snapshot);
    this.#heldFor ??= moving;
    return moving !== undefined;
  }

  #isRepeatable(body: Body): boolean {
    return this.#repeatable && isKept(body);
  }

  #learn(side: SideName, fence: FencedAnswer): void {
    const { capability } = this.#decision;
    bump(this.#deps.counters.fenced, this.#main);
    if (fence.capability === capability?.name)
      learnFence(this.#deps.ownershipCache, capability, side, fence);
  }

  #isOwnerUnknown(): boolean {
    const { capability } = this.#decision;
    if (capability === undefined) return false;
    return isOwnerUnknown(capability, this.#context.form, this.#deps.snapshot);
  }

  get #main(): Capability | undefined {
    return this.#decision.capability ?? this.#decision.changes[0];
  }

  /** Which side is asked first; a route of the monolith always goes there, since it finds the owner itself. */
  #owner(): SideName {
    const { capability } = this.#decision;
    return capability ? this.#deps.ownershipCache.of(capability, this.#key).owner : 'legacy';
  }

  async #try(side: SideName, body: Body): Promise<Outcome> {
    const held = this.#heldSince !== undefined;
    if (held) await this.#slots.enter();
    try {
      if (this.#context.over) return { kind: 'over' };
      return await new Promise((resolve) => this.#send(side, body, resolve));
    } finally {
      if (held) this.#slots.leave();
    }
  }

  #send(side: SideName, body: Body, done: (outcome: Outcome) => void): void {
    const { capability } = this.#decision;
    const deps = this.#deps;
    this.#context.answerer = capability ? side : 'monolith';
    const again = this.#sentAt > 0 || this.#heldSince !== undefined;
    this.#sentAt = performance.now();
    this.#context.heldMs = this.#sentAt - (this.#heldSince ?? this.#sentAt);
    this.#asked = side;
    const attempt = new UpstreamCall(
      this.#context,
      { catchFenced: true, again, patient: !isKept(body) },
      (outcome) => {
        deps.registration.end(this.#decision.changes);
        if (outcome.kind === 'fenced') this.#heldSince ??= this.#sentAt;
        done(outcome);
      },
    );
    const upstream = capability ? deps.upstreamOf(capability, side) : deps.monolith;
    deps.registration.begin(this.#decision.changes);
    try {
      attempt.send(
        upstream,
        Buffer.isBuffer(body) && body.length === 0 ? null : body,
        this.#headers,
      );
    } catch (error) {
      deps.registration.end(this.#decision.changes);
      throw error;
    }
  }

  /**
   * From here on the write may take effect, so its customer reads from the owner.
   * @returns resolves when the other workers know it too; undefined where there are none
   */
  #pin(): Promise<void> | undefined {
    const { unreplicated, peers } = this.#deps;
    const { customer } = this.#context.form;
    this.#context.observer = this;
    if (customer === undefined) return undefined;
    this.#pinned = true;
    for (const { index } of this.#decision.changes) unreplicated[index]?.begin(customer);
    return peers.begin(this.#decision.changes, customer);
  }

  /** Before the client has the answer: its next request may read its own write. */
  answering(_context: RequestContext, status: number): void {
    const side = this.#asked;
    const { capability, changes } = this.#decision;
    const { ownershipCache, unreplicated, peers } = this.#deps;
    if (this.#pinned) {
      this.#pinned = false;
      const customer = this.#context.form.customer as string;
      for (const { index } of changes) unreplicated[index]?.end(customer);
      peers.end(changes, customer);
    }
    const accepted = status >= 200 && status < 300;
    if (accepted && capability && (this.#fencedEpoch !== undefined || this.#hintSpent)) {
      ownershipCache.accepted(capability, this.#key, side, this.#fencedEpoch ?? 0);
    }
  }

  #recordHold(): void {
    const moved = this.#heldFor ?? this.#decision.changes[0];
    if (this.#heldSince === undefined || moved === undefined) return;
    const { ownershipCache, holds, counters } = this.#deps;
    bump(counters.held, moved);
    const key = moved === this.#decision.capability ? this.#key : keyOf(moved, this.#context.form);
    holds.add({
      capability: moved.name,
      epoch: ownershipCache.of(moved, key).epoch,
      ms: Math.max(0, this.#sentAt - this.#heldSince),
      ...(key !== undefined && ownershipCache.isInCohort(moved, key) ? { key } : {}),
    });
  }

  /** Waits as the engine asked. @returns false when the request is over */
  async #waitForHint(): Promise<boolean> {
    this.#heldSince ??= performance.now();
    const patience = this.#heldFor?.finishesFirst ? this.#deps.limits.holdMs : HINT_MS;
    const until = performance.now() + patience;
    while (this.#isHeld()) {
      const left = until - performance.now();
      if (left <= 0 && patience === HINT_MS) {
        this.#hintSpent = true;
        break;
      }
      if (!(await this.#wait(this.#deps.ownershipCache.version, left))) return false;
    }
    return true;
  }

  /**
   * A side refused the write.
   * @param version of the ownership cache before it was sent: an update since then needs no wait
   * @returns the side to try next; undefined: ask the ownership cache
   */
  async #fenced(
    side: SideName,
    fence: FencedAnswer,
    version: number,
  ): Promise<SideName | undefined> {
    const { capability } = this.#decision;
    const { ownershipCache, counters } = this.#deps;
    bump(counters.fenced, this.#main);
    const before = this.#previous;
    this.#previous = side;
    this.#heldFor ??= this.#decision.changes.find(({ name }) => name === fence.capability);
    if (!capability || fence.capability !== capability.name) {
      await this.#wait(version, this.#nextWait());
      return undefined;
    }
    this.#fencedEpoch = Math.max(this.#fencedEpoch ?? 0, fence.epoch ?? 0);
    const told = ownershipCache.version !== version;
    learnFence(ownershipCache, capability, side, fence);
    // The rows decide whose they are, not the client's header: from here on their fence counts.
    this.#key = fence.key;
    const { owner, holding } = ownershipCache.of(capability, this.#key);
    if (owner !== side && !holding && (told || before !== owner)) return owner;
    const seen = ownershipCache.version;
    await this.#wait(seen, this.#nextWait());
    return ownershipCache.version !== seen || ownershipCache.of(capability, this.#key).certain
      ? undefined
      : otherSide(side);
  }

  /** Grows, since all refused writes wait; the first that is accepted wakes the others. */
  #nextWait(): number {
    const wait = this.#waitMs * (1 + Math.random());
    this.#waitMs = Math.min(LONGEST_WAIT_MS, this.#waitMs * WAIT_GROWTH);
    return wait;
  }

  /** @returns false when the request is over, or its budget is spent */
  async #wait(version: number, ms: number): Promise<boolean> {
    const { ownershipCache, counters, limits } = this.#deps;
    const left = (this.#heldSince ?? performance.now()) + limits.holdMs - performance.now();
    if (left <= 0) {
      this.#context.refuse(heldTooLong());
      return false;
    }
    const bytes = this.#bodyBytes;
    const held = counters.heldNow[rowOf(this.#main)] ?? 0;
    if (held >= limits.heldWrites || counters.heldBytes + bytes > limits.heldBytes) {
      this.#context.refuse(tooManyHeld());
      return false;
    }
    bump(counters.heldNow, this.#main);
    counters.heldBytes += bytes;
    await ownershipCache.nextUpdate(version, Math.min(ms, left), (wake) => {
      this.#context.underWay = { cancel: wake, isHeld: true };
    });
    bump(counters.heldNow, this.#main, -1);
    counters.heldBytes -= bytes;
    return !this.#context.over;
  }
}
