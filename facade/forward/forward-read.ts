import type { Problem } from '../../chassis/index.ts';
import { UpstreamCall, isWorthAnother } from './upstream-call.ts';
import type { Failed, Outcome } from './upstream-call.ts';
import { learnFence } from './fenced-answer.ts';
import type { FencedAnswer } from './fenced-answer.ts';
import { isKept, readBody } from './body.ts';
import type { Body } from './body.ts';
import type { FacadeDeps } from './facade-deps.ts';
import { bump } from '../counting/index.ts';
import { keyOf } from '../match/index.ts';
import { isInDoubt, isOwnerUnknown } from '../route/index.ts';
import type { Decision } from '../route/index.ts';
import type { Ownership } from '../ownership/index.ts';
import { heldTooLong, tooLargeToHold, unanswered } from './refusals.ts';
import { otherSide } from '../../strangler/routing/index.ts';
import type { SideName } from '../../strangler/routing/index.ts';
import type { RequestContext } from './request-context.ts';

type Read = Extract<Decision, { kind: 'read' }>;

/** Larger answers are not compared. */
const COMPARED_BYTES = 262_144;

/** Sends a read of a capability to the side that was decided on. */
export function forwardRead(context: RequestContext, decision: Read, deps: FacadeDeps): void {
  const { capability, shadow } = decision;
  if (shadow !== 'off' && shadow !== 'compared') deps.experiments.skip(capability, shadow);
  if (context.form.bodyBytes === 0 && !inDoubt(context, decision, deps)) {
    new ReadForwarder(context, decision, deps, null).try(decision.side);
    return;
  }
  readBody(context, deps.limits.bodyBytes, (body) => {
    void readCarefully(context, decision, deps, body);
  });
}

function inDoubt(
  { form }: RequestContext,
  { capability }: Read,
  { snapshot }: FacadeDeps,
): boolean {
  return isInDoubt(capability, form, snapshot);
}

function ownerFor(
  { form }: RequestContext,
  { capability }: Read,
  { ownershipCache }: FacadeDeps,
): Ownership {
  return ownershipCache.of(capability, keyOf(capability, form));
}

async function readCarefully(
  context: RequestContext,
  decision: Read,
  deps: FacadeDeps,
  body: Body,
): Promise<void> {
  let { side } = decision;
  if (inDoubt(context, decision, deps)) {
    await clearDoubt(context, decision, deps);
    if (context.over) return;
    side = ownerFor(context, decision, deps).owner;
  }
  const sent = Buffer.isBuffer(body) && body.length === 0 ? null : body;
  new ReadForwarder(context, decision, deps, sent).try(side);
}

async function clearDoubt(
  context: RequestContext,
  decision: Read,
  deps: FacadeDeps,
): Promise<void> {
  const { ownershipCache, barriers, snapshot, feed, limits } = deps;
  const { capability } = decision;
  if (!feed.live) await feed.confirm();
  // After the barrier the default owner has the rows of every key.
  if (isOwnerUnknown(capability, context.form, snapshot)) await barriers.pass(capability);
  const until = performance.now() + limits.holdMs;
  while (ownerFor(context, decision, deps).holding && !context.over) {
    const left = until - performance.now();
    if (left <= 0) return;
    await ownershipCache.nextUpdate(ownershipCache.version, left, (wake) => {
      context.underWay = { cancel: wake, isHeld: true };
    });
  }
}

class ReadForwarder {
  readonly #context: RequestContext;
  readonly #decision: Read;
  readonly #deps: FacadeDeps;
  readonly #body: Body | null;
  #retried = false;
  #turned = false;
  #tries = 0;

  constructor(context: RequestContext, decision: Read, deps: FacadeDeps, body: Body | null) {
    this.#context = context;
    this.#decision = decision;
    this.#deps = deps;
    this.#body = body;
  }

  try(side: SideName): void {
    const { capability, shadow } = this.#decision;
    this.#context.answerer = side;
    const attempt = new UpstreamCall(
      this.#context,
      {
        catchFenced: true,
        copyBytes: shadow === 'compared' ? COMPARED_BYTES : 0,
        again: this.#tries > 0,
        patient: !isKept(this.#body),
      },
      (outcome) => this.#tried(side, outcome),
    );
    this.#tries += 1;
    const { headers } = this.#context.form;
    attempt.send(this.#deps.upstreamOf(capability, side), this.#body, headers);
  }

  #tried(side: SideName, outcome: Outcome): void {
    const { shadow } = this.#decision;
    if (outcome.kind === 'failed') {
      this.#failed(side, outcome);
    } else if (outcome.kind === 'fenced') {
      this.#turnedAway(side, outcome.fence);
    } else if (shadow === 'compared') {
      this.#compare(side, outcome);
    }
  }

  #compare(side: SideName, outcome: Extract<Outcome, { kind: 'answered' | 'over' }>): void {
    const { experiments, routes } = this.#deps;
    const { capability } = this.#decision;
    const { form } = this.#context;
    const sent = this.#body;
    if (outcome.kind === 'over') experiments.skip(capability, 'cut_off');
    else if (!isKept(sent)) experiments.skip(capability, 'request_body');
    else if (outcome.body === undefined) experiments.skip(capability, 'too_large');
    else {
      const { status, headers, body } = outcome;
      const control = { status, headers, body };
      const comparedHeaders = routes.comparedHeadersOf(form.method, form.path);
      experiments.observe({ capability, side, form, comparedHeaders, sent, control });
    }
  }

  /** The answer that was to be compared did not come. */
  #refuse(problem: Problem): void {
    const { capability, shadow } = this.#decision;
    if (shadow === 'compared') this.#deps.experiments.skip(capability, 'unanswered');
    this.#context.refuse(problem);
  }

  /** The capability has left that side for good, before an update said so. */
  #turnedAway(side: SideName, fence: FencedAnswer): void {
    const { capability } = this.#decision;
    if (this.#turned || fence.capability !== capability.name) {
      this.#refuse(heldTooLong());
      return;
    }
    this.#turned = true;
    learnFence(this.#deps.ownershipCache, capability, side, fence);
    if (!isKept(this.#body)) {
      this.#refuse(tooLargeToHold(this.#deps.limits.bodyBytes));
      return;
    }
    this.try(otherSide(side));
  }

  /** Repeats the read where that makes sense; then asks the owner. */
  #failed(side: SideName, outcome: Failed): void {
    const { capability } = this.#decision;
    const { owner } = ownerFor(this.#context, this.#decision, this.#deps);
    if (!isKept(this.#body)) {
      this.#refuse(unanswered(outcome));
    } else if (isWorthAnother(outcome) && !this.#retried) {
      this.#retried = true;
      bump(this.#deps.counters.retried, capability);
      this.try(side);
    } else if (side !== owner) {
      bump(this.#deps.counters.retried, capability);
      this.try(owner);
    } else {
      this.#refuse(unanswered(outcome));
    }
  }
}
