import { isKept } from './body.ts';
import type { Body } from './body.ts';
import type { FacadeDeps } from './facade-deps.ts';
import type { Route } from '../route/index.ts';
import type { RequestContext } from './request-context.ts';
import type { Ended } from './upstream-call.ts';

/**
 * Has the answer to a read compared with the other side's, where its route says so, or counts why it is
 * not; once for each request.
 * @param ended undefined where no side has answered
 * @param body of the request
 */
export function shadow(
  { match, form, identity }: RequestContext,
  { shadow: asked, to }: Route,
  ended: Ended | undefined,
  body: Body | null,
  { experiments }: FacadeDeps,
): void {
  if (asked === 'off' || match.kind !== 'read' || to === 'monolith') return;
  const { capability, comparedHeaders } = match;
  if (asked !== 'compared') experiments.skip(capability, asked);
  else if (ended === undefined) experiments.skip(capability, 'unanswered');
  else if (ended.kind === 'over') experiments.skip(capability, 'cut_off');
  else if (!isKept(body)) experiments.skip(capability, 'request_body');
  else if (ended.body === undefined) experiments.skip(capability, 'too_large');
  else {
    const { status, headers, body: answer } = ended;
    const control = { status, headers, body: answer };
    experiments.observe({
      capability,
      side: to,
      form,
      identity,
      comparedHeaders,
      sent: body,
      control,
    });
  }
}
