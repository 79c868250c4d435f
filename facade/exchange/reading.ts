import type { Problem } from '../../chassis/index.ts';
import { Attempt, isWorthAnother } from './attempt.ts';
import type { Failed, Outcome } from './attempt.ts';
import { learnFence } from './fenced-answer.ts';
import type { FencedAnswer } from './fenced-answer.ts';
import { isKept, readBody } from './body.ts';
import type { Body } from './body.ts';
import type { Core } from './core.ts';
import { bump } from '../counting/index.ts';
import { keyOf } from '../routes/index.ts';
import { isInDoubt, mayBeAnybodys } from '../decision/index.ts';
import type { Decision } from '../decision/index.ts';
import type { Ownership } from '../ownership/index.ts';
import { heldTooLong, tooLargeToHold, unanswered } from './refusals.ts';
import { otherSide } from '../../strangler/routing/index.ts';
import type { SideName } from '../../strangler/routing/index.ts';
import type { Visit } from './visit.ts';

type Read = Extract<Decision, { kind: 'read' }>;

/** Larger answers are not compared. */
const COMPARED_BYTES = 262_144;

/** Answers a read of a capability from the side that was decided on. */
export function read(visit: Visit, decision: Read, core: Core): void {
  const { capability, shadow } = decision;
  if (shadow !== 'off' && shadow !== 'compared') core.experiments.skip(capability, shadow);
  if (visit.form.bodyBytes === 0 && !inDoubt(visit, decision, core)) {
    new Reading(visit, decision, core, null).try(decision.side);
    return;
  }
  readBody(visit, core.limits.bodyBytes, (body) => {
    void readCarefully(visit, decision, core, body);
  });
}

function inDoubt({ form }: Visit, { capability }: Read, { circumstances }: Core): boolean {
  return isInDoubt(capability, form, circumstances);
}

function ownerFor({ form }: Visit, { capability }: Read, { book }: Core): Ownership {
  return book.of(capability, keyOf(capability, form));
}

async function readCarefully(visit: Visit, decision: Read, core: Core, body: Body): Promise<void> {
  let { side } = decision;
  if (inDoubt(visit, decision, core)) {
    await clearDoubt(visit, decision, core);
    if (visit.over) return;
    side = ownerFor(visit, decision, core).owner;
  }
  const sent = Buffer.isBuffer(body) && body.length === 0 ? null : body;
  new Reading(visit, decision, core, sent).try(side);
}

async function clearDoubt(visit: Visit, decision: Read, core: Core): Promise<void> {
  const { book, barriers, circumstances, feed, limits } = core;
  const { capability } = decision;
  if (!feed.live) await feed.confirm();
  // Whoever owns what is asked for: by then the owner of the rest has it, too.
  if (mayBeAnybodys(capability, visit.form, circumstances)) await barriers.pass(capability);
  const until = performance.now() + limits.holdMs;
  while (ownerFor(visit, decision, core).holding && !visit.over) {
    const left = until - performance.now();
    if (left <= 0) return;
    await book.news(book.version, left, (wake) => {
      visit.underWay = { cancel: wake, isHeld: true };
    });
  }
}

class Reading {
  readonly #visit: Visit;
  readonly #decision: Read;
  readonly #core: Core;
  readonly #body: Body | null;
  #retried = false;
  #turned = false;
  #tries = 0;

  constructor(visit: Visit, decision: Read, core: Core, body: Body | null) {
    this.#visit = visit;
    this.#decision = decision;
    this.#core = core;
    this.#body = body;
  }

  try(side: SideName): void {
    const { capability, shadow } = this.#decision;
    this.#visit.answerer = side;
    const attempt = new Attempt(
      this.#visit,
      {
        catchFenced: true,
        copyBytes: shadow === 'compared' ? COMPARED_BYTES : 0,
        again: this.#tries > 0,
        patient: !isKept(this.#body),
      },
      (outcome) => this.#tried(side, outcome),
    );
    this.#tries += 1;
    const { headers } = this.#visit.form;
    attempt.send(this.#core.upstreamOf(capability, side), this.#body, headers);
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
    const { experiments, routes } = this.#core;
    const { capability } = this.#decision;
    const { form } = this.#visit;
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

  /** Nobody has answered what was to be compared. */
  #refuse(problem: Problem): void {
    const { capability, shadow } = this.#decision;
    if (shadow === 'compared') this.#core.experiments.skip(capability, 'unanswered');
    this.#visit.refuse(problem);
  }

  /** It has left that side for good, which nobody has told us yet. */
  #turnedAway(side: SideName, fence: FencedAnswer): void {
    const { capability } = this.#decision;
    if (this.#turned || fence.capability !== capability.name) {
      this.#refuse(heldTooLong());
      return;
    }
    this.#turned = true;
    learnFence(this.#core.book, capability, side, fence);
    if (!isKept(this.#body)) {
      this.#refuse(tooLargeToHold(this.#core.limits.bodyBytes));
      return;
    }
    this.try(otherSide(side));
  }

  /** Once again where that makes sense; then the owner is asked. */
  #failed(side: SideName, outcome: Failed): void {
    const { capability } = this.#decision;
    const { owner } = ownerFor(this.#visit, this.#decision, this.#core);
    if (!isKept(this.#body)) {
      this.#refuse(unanswered(outcome));
    } else if (isWorthAnother(outcome) && !this.#retried) {
      this.#retried = true;
      bump(this.#core.counters.retried, capability);
      this.try(side);
    } else if (side !== owner) {
      bump(this.#core.counters.retried, capability);
      this.try(owner);
    } else {
      this.#refuse(unanswered(outcome));
    }
  }
}
