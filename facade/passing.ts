import { Attempt } from './attempt.ts';
import { streamBody } from './body.ts';
import type { Core } from './core.ts';
import { upstreamUnavailable } from './refusals.ts';
import { isSafe } from './request-form.ts';
import type { Visit, Witness } from './visit.ts';

const LIFT_DEADLINE: Witness = { answering: (visit) => visit.liftDeadline() };

/** Streams a request of no capability to the monolith, and its answer back. */
export function passOn(visit: Visit, core: Core): void {
  const { form } = visit;
  // Up- and downloads may take as long as they move; only waiting for an answer has a deadline.
  visit.witness = LIFT_DEADLINE;
  if (form.bodyBytes === 0) {
    passEmpty(visit, core, isSafe(form.method));
    return;
  }
  const headers =
    form.bodyBytes === null
      ? form.headers
      : [...form.headers, 'content-length', String(form.bodyBytes)];
  const attempt = new Attempt(visit, {}, (outcome) => {
    if (outcome.kind === 'failed') visit.refuse(upstreamUnavailable(outcome.sent));
  });
  attempt.send(core.monolith, streamBody(visit), headers);
}

/** A connection that idled may be closed by its server just as a request is sent on it. */
function passEmpty(visit: Visit, core: Core, again: boolean): void {
  const attempt = new Attempt(visit, {}, (outcome) => {
    if (outcome.kind !== 'failed') return;
    if (again && outcome.sent) passEmpty(visit, core, false);
    else visit.refuse(upstreamUnavailable(outcome.sent));
  });
  attempt.send(core.monolith, null, visit.form.headers);
}
