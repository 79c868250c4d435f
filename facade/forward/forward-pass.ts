import { UpstreamCall, isWorthAnother } from './upstream-call.ts';
import { streamBody } from './body.ts';
import type { FacadeDeps } from './facade-deps.ts';
import { bump } from '../counting/index.ts';
import { unanswered } from './refusals.ts';
import { isSafe } from '../request/index.ts';
import type { RequestContext } from './request-context.ts';

/** Streams a request of no capability to the monolith, and its answer back. */
export function forwardPass(context: RequestContext, deps: FacadeDeps): void {
  const { form } = context;
  if (form.bodyBytes === 0) {
    passEmpty(context, deps, isSafe(form.method) || form.idempotencyKey !== undefined);
    return;
  }
  const attempt = new UpstreamCall(context, { patient: true }, (outcome) => {
    if (outcome.kind === 'failed') context.refuse(unanswered(outcome));
  });
  attempt.send(deps.monolith, streamBody(context), form.headers);
}

/** A connection that idled may be closed by its server just as a request is sent on it. */
function passEmpty(
  context: RequestContext,
  deps: FacadeDeps,
  repeatable: boolean,
  again = false,
): void {
  const attempt = new UpstreamCall(context, { again }, (outcome) => {
    if (outcome.kind !== 'failed') return;
    if (repeatable && !again && isWorthAnother(outcome)) {
      bump(deps.counters.retried, undefined);
      passEmpty(context, deps, repeatable, true);
    } else {
      context.refuse(unanswered(outcome));
    }
  });
  attempt.send(deps.monolith, null, context.form.headers);
}
