import { randomId, timeOrderedId } from '../../chassis/index.ts';
import type { Problem } from '../../chassis/index.ts';
import type { SideName } from '../../routing/index.ts';
import { bump } from '../counting/index.ts';
import { countedFor } from '../match/index.ts';
import type { Capability } from '../match/index.ts';
import { isSafe } from '../request/index.ts';
import { route } from '../route/index.ts';
import type { Progress, Refusal, Route } from '../route/index.ts';
import { isKept, readBody, streamBody } from './body.ts';
import type { Body } from './body.ts';
import { snapshotOf } from './facade-deps.ts';
import type { FacadeDeps } from './facade-deps.ts';
import { learnFence } from './fenced-answer.ts';
import type { FencedAnswer } from './fenced-answer.ts';
import { Hold } from './hold.ts';
import { Repeats } from './repeats.ts';
import { facadeFailed, problemOf, tooLargeToHold, unanswered } from './refusals.ts';
import { headersFor } from './request-context.ts';
import type { RequestContext, ResponseObserver } from './request-context.ts';
import { shadow } from './shadow.ts';
import { UpstreamIll } from '../upstream/index.ts';
import type { Upstream } from '../upstream/index.ts';
import { UpstreamCall } from './upstream-call.ts';
import type { Ended, Failed, Outcome } from './upstream-call.ts';

/** Larger answers are not compared. */
const COMPARED_BYTES = 262_144;
const NONE: readonly Capability[] = [];

/**
 * Carries a request out: sends it where its route leads, and its answer back to the client. An attempt
 * that comes to nothing is repeated where that is safe. FENCED proves that nothing has happened, so the
 * request is routed anew, and a write waits for its owner for as long as it may be held.
 */
export function forward(context: RequestContext, deps: FacadeDeps): void {
  new Forwarding(context, deps).start();
}

/** Answers 502, or cuts the answer off, after an error that should not have been. */
export function failInFacade(context: RequestContext, { log }: FacadeDeps, error: unknown): void {
  log.error({ err: error, path: context.form.path }, 'a request failed in the facade');
  if (context.res.headersSent) context.cut();
  else context.refuse(facadeFailed());
}

/** One request on its way out, and what has been done for it. */
class Forwarding implements Progress, ResponseObserver {
  isConfirmed = false;
  isBehindBarrier = false;
  isOutOfPatience = false;
  repeatsAt: SideName | undefined;
  refusal: Refusal | undefined;
  rows: Progress['rows'];
  readonly #context: RequestContext;
  readonly #deps: FacadeDeps;
  #body: Body | null = null;
  /** Whether its key makes one more attempt safe, though the first may have been carried out. */
  #hasKey: boolean;
  /** There once an attempt has come to nothing. */
  #repeats: Repeats | undefined;
  /** By which route it was sent last. */
  #sentBy: Route | undefined;
  #sentAt = 0;
  #hold: Hold | undefined;
  /** Whether its customer reads from the owner until it is answered. */
  #isNoted = false;
  /** The newest epoch in which a fence of its own capability refused it. */
  #fencedEpoch: number | undefined;

  constructor(context: RequestContext, deps: FacadeDeps) {
    this.#context = context;
    this.#deps = deps;
    this.#hasKey = context.form.idempotencyKey !== undefined;
  }

  /** A request of no capability is streamed; any other is kept, so that it can be sent more than once. */
  start(): void {
    const { match, form } = this.#context;
    if (match.kind === 'pass') {
      if (form.bodyBytes !== 0) this.#body = streamBody(this.#context);
      this.#begin();
      return;
    }
    if (match.kind === 'write') this.#addKey(match.capability);
    readBody(this.#context, this.#deps.limits.bodyBytes, (body) => {
      this.#body = body;
      try {
        const noted = match.kind === 'write' ? this.#noteWrite(match.changes) : undefined;
        if (noted === undefined) this.#begin();
        else noted.then(() => this.#begin()).catch((error: unknown) => this.#fail(error));
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  /** All attempts have the same key and attempt id. */
  #addKey(capability: Capability | undefined): void {
    const { method, headers } = this.#context.form;
    headers.push('x-fig-attempt', randomId());
    if (method !== 'POST' || this.#hasKey) return;
    headers.push('idempotency-key', timeOrderedId());
    this.#hasKey = capability?.honoursKeys ?? this.#deps.monolithHonoursKeys;
  }

  /**
   * From here on the write may take effect, so its customer reads from the owner.
   * @returns resolves when the other workers know it too; undefined where there are none
   */
  #noteWrite(changes: readonly Capability[]): Promise<void> | undefined {
    const { customer } = this.#context.form;
    this.#context.observer = this;
    if (customer === undefined) return undefined;
    this.#isNoted = true;
    return this.#deps.ownWrites.begin(changes, customer);
  }

  /** The usual request needs no promise; one that must wait, or be sent again, goes on in `#persist`. */
  #begin(): void {
    if (this.#context.over) return;
    const first = this.#decide();
    if (first.wait !== undefined || first.refused !== undefined) {
      this.#persist(first).catch((error: unknown) => this.#fail(error));
      return;
    }
    this.#send(first, (outcome) => {
      const next = this.#after(first, outcome);
      if (next) this.#persist(next).catch((error: unknown) => this.#fail(error));
    });
  }

  #fail(error: unknown): void {
    failInFacade(this.#context, this.#deps, error);
  }

  #decide(): Route {
    return route(this.#context, snapshotOf(this.#deps), this);
  }

  async #persist(first: Route): Promise<void> {
    let next: Route | undefined = first;
    while (next && !this.#context.over) {
      if (next.refused !== undefined) {
        this.#refuse(next, problemOf(next.refused));
      } else if (next.wait !== undefined) {
        await this.#wait(next);
        next = this.#decide();
      } else {
        next = await this.#attempt(next);
      }
    }
  }

  /** @returns how to go on; undefined when there is nothing more to do */
  async #attempt(given: Route): Promise<Route | undefined> {
    const { releases } = this.#deps;
    if (!this.#hold || this.#context.match.kind !== 'write') return this.#sendAndSee(given);
    // Not all that were held at once.
    await releases.enter();
    try {
      const { over } = this.#context;
      // The owner may have changed in the queue.
      const next = this.#decide();
      if (over || next.wait !== undefined || next.refused !== undefined) return next;
      return await this.#sendAndSee(next);
    } finally {
      releases.leave();
    }
  }

  async #sendAndSee(next: Route): Promise<Route | undefined> {
    const outcome = await new Promise<Outcome>((resolve) => this.#send(next, resolve));
    return this.#after(next, outcome);
  }

  async #wait({ wait, moving, version }: Route): Promise<void> {
    const { match } = this.#context;
    const { feed, barriers } = this.#deps;
    if (wait === 'confirmation') {
      await feed.confirm();
      this.isConfirmed = true;
    } else if (wait === 'backoff') {
      await this.#repeats?.pause();
    } else if (wait === 'barrier') {
      if (match.capability) await barriers.pass(match.capability);
      this.isBehindBarrier = true;
    } else {
      const hold = this.#heldSince(performance.now());
      hold.moving ??= moving;
      if (wait === 'handover') {
        this.isOutOfPatience = !(await hold.forHandover(version));
      } else {
        await hold.forUpdate(version);
        if (this.refusal) this.refusal = { ...this.refusal, waitedSince: version };
      }
    }
  }

  #heldSince(since: number): Hold {
    const bytes = Buffer.isBuffer(this.#body) ? this.#body.length : 0;
    return (this.#hold ??= new Hold(this.#context, this.#deps, since, bytes));
  }

  #send(by: Route, done: (outcome: Outcome) => void): void {
    const { match, form } = this.#context;
    const { registration } = this.#deps;
    const changes = match.kind === 'write' ? match.changes : NONE;
    const again = this.#sentBy !== undefined || this.#hold !== undefined;
    const upstream = this.#upstreamOf(by);
    const { breaker, retries } = upstream.resilience;
    // What a breaker keeps back is no load that retries may be a share of.
    if (!this.#sentBy && breaker?.state !== 'open') retries?.requested();
    if (breaker && form.timed) {
      this.#context.add('x-fig-breaker', `${upstream.name};state=${breaker.state}`);
    }
    this.#sentBy = by;
    this.#sentAt = performance.now();
    this.#context.answerer = by.to;
    if (this.#hold) this.#context.heldMs = this.#sentAt - this.#hold.since;
    const call = new UpstreamCall(
      this.#context,
      {
        catchFenced: match.kind !== 'pass',
        copyBytes: by.shadow === 'compared' ? COMPARED_BYTES : 0,
        again,
        patient: !isKept(this.#body),
      },
      changes === NONE
        ? done
        : (outcome) => {
            registration.end(changes);
            done(outcome);
          },
    );
    // In the same turn as the decision: the engine may be told at any other that no write is under way.
    registration.begin(changes);
    try {
      call.send(upstream, this.#body, headersFor(upstream, this.#context));
    } catch (error) {
      registration.end(changes);
      throw error;
    }
  }

  #upstreamOf({ to }: Route): Upstream {
    return this.#deps.upstreamFor(this.#context.match, to);
  }

  /** @returns how to go on after an attempt; undefined when there is nothing more to do */
  #after(by: Route, outcome: Outcome): Route | undefined {
    if (outcome.kind === 'fenced') return this.#fenced(by, outcome.fence);
    if (outcome.kind === 'failed') return this.#failed(by, outcome);
    this.#ended(by, outcome);
    return undefined;
  }

  /** A side refused the request: it is routed with what the fence has told. */
  #fenced(by: Route, fence: FencedAnswer): Route | undefined {
    const { match } = this.#context;
    const { counters, ownershipCache, limits } = this.#deps;
    const { capability } = match;
    const side = by.to === 'monolith' ? 'legacy' : by.to;
    const isOwn = fence.capability === capability?.name;
    const isStale = ownershipCache.version !== by.version;
    if (match.kind === 'write') {
      bump(counters.fenced, countedFor(match));
      const hold = this.#heldSince(this.#sentAt);
      hold.moving ??= match.changes.find(({ name }) => name === fence.capability);
    }
    if (capability && isOwn) {
      this.#fencedEpoch = Math.max(this.#fencedEpoch ?? 0, fence.epoch ?? 0);
      this.rows = { key: fence.key };
      learnFence(ownershipCache, capability, side, fence);
    }
    if (!isKept(this.#body)) {
      this.#refuse(by, tooLargeToHold(limits.bodyBytes));
      return undefined;
    }
    this.repeatsAt = undefined;
    this.refusal = { side, before: this.refusal?.side, isOwn, isStale, waitedSince: undefined };
    return this.#decide();
  }

  /** There is no answer: the request is repeated where that is safe; then a read asks the owner. */
  #failed(by: Route, outcome: Failed): Route | undefined {
    const { match, form } = this.#context;
    const isSafeAgain = isKept(this.#body) && (this.#hasKey || isSafe(form.method));
    const { counters } = this.#deps;
    const upstream = this.#upstreamOf(by);
    const { fallsBack } = upstream.resilience;
    const repeats = (this.#repeats ??= new Repeats(this.#context));
    const again = isSafeAgain ? repeats.after(by, outcome, upstream) : undefined;
    if (again !== undefined) {
      bump(counters.retried, countedFor(match));
      // A side that has done it already repeats its answer; meanwhile a handover may have begun.
      if (match.kind === 'write' && by.to !== 'monolith') this.repeatsAt = by.to;
      if (again === 'later') return { ...by, wait: 'backoff' };
      return match.kind === 'write' ? this.#decide() : by;
    }
    const isIll = outcome.turnedAway instanceof UpstreamIll;
    // Ownership is leaving that side: the write goes on waiting for the next owner.
    if (isIll && by.moving !== undefined) return { ...by, wait: 'update' };
    if (isSafeAgain && by.alternative !== undefined && (fallsBack || !isIll)) {
      bump(isIll ? counters.fellBack : counters.retried, countedFor(match));
      if (isIll) this.#context.add('x-fig-fallback', 'owner');
      return { ...by, to: by.alternative, alternative: undefined };
    }
    this.#refuse(by, unanswered({ ...outcome, sent: repeats.mayHaveHappened(outcome) }));
    return undefined;
  }

  #refuse(by: Route, problem: Problem): void {
    shadow(this.#context, by, undefined, this.#body, this.#deps);
    this.#context.refuse(problem);
  }

  #ended(by: Route, outcome: Ended): void {
    shadow(this.#context, by, outcome, this.#body, this.#deps);
    if (outcome.kind === 'answered' && this.#hold) this.#recordHold(this.#hold);
  }

  /** Before the client has the answer: its next request may read its own write. */
  answering({ match, form }: RequestContext, status: number): void {
    if (match.kind !== 'write') return;
    const { capability, changes } = match;
    const { ownershipCache, ownWrites } = this.#deps;
    if (this.#isNoted) {
      this.#isNoted = false;
      ownWrites.end(changes, form.customer as string);
    }
    const by = this.#sentBy;
    const isAccepted = status >= 200 && status < 300;
    if (!isAccepted || !capability || !by || by.to === 'monolith') return;
    if (this.#fencedEpoch === undefined && !this.isOutOfPatience) return;
    ownershipCache.accepted(capability, by.ownership?.key, by.to, this.#fencedEpoch ?? 0);
  }

  /** After the answer, so that what its owner has told by accepting it is known. */
  #recordHold({ moving, since }: Hold): void {
    const { match, form } = this.#context;
    const { ownershipCache, holds, counters } = this.#deps;
    const moved = moving ?? countedFor(match);
    if (match.kind !== 'write' || moved === undefined) return;
    bump(counters.held, moved);
    const { key, epoch, inCohort } =
      moved === match.capability && this.rows
        ? ownershipCache.ofKey(moved, this.rows.key)
        : ownershipCache.of(moved, form);
    holds.add({
      capability: moved.name,
      epoch,
      ms: Math.max(0, this.#sentAt - since),
      ...(key !== undefined && inCohort ? { key } : {}),
    });
  }
}
