import { Attempt, isWorthAnother } from './attempt.ts';
import { streamBody } from './body.ts';
import type { Core } from './core.ts';
import { bump } from '../counting/index.ts';
import { unanswered } from './refusals.ts';
import { isSafe } from '../request/index.ts';
import type { Visit } from './visit.ts';

/** Streams a request of no capability to the monolith, and its answer back. */
export function passOn(visit: Visit, core: Core): void {
  const { form } = visit;
  if (form.bodyBytes === 0) {
    passEmpty(visit, core, isSafe(form.method) || form.idempotencyKey !== undefined);
    return;
  }
  const attempt = new Attempt(visit, { patient: true }, (outcome) => {
    if (outcome.kind === 'failed') visit.refuse(unanswered(outcome));
  });
  attempt.send(core.monolith, streamBody(visit), form.headers);
}

/** A connection that idled may be closed by its server just as a request is sent on it. */
function passEmpty(visit: Visit, core: Core, repeatable: boolean, again = false): void {
  const attempt = new Attempt(visit, { again }, (outcome) => {
    if (outcome.kind !== 'failed') return;
    if (repeatable && !again && isWorthAnother(outcome)) {
      bump(core.counters.retried, undefined);
      passEmpty(visit, core, repeatable, true);
    } else {
      visit.refuse(unanswered(outcome));
    }
  });
  attempt.send(core.monolith, null, visit.form.headers);
}
