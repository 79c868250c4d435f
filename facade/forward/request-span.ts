import { markAnswered } from '../../chassis/index.ts';
import type { Trace } from '../../chassis/index.ts';
import { countedFor } from '../match/index.ts';
import type { Match, Routes } from '../match/index.ts';
import type { RequestForm } from '../request/index.ts';

type Span = NonNullable<Trace['span']>;

/** Names a request's span by its pattern in the configuration: a path may hold whatever a client wrote into it. */
export function beginRequestSpan(
  span: Span,
  { method, path }: Pick<RequestForm, 'method' | 'path'>,
  match: Match,
  routes: Pick<Routes, 'patternOf'>,
): void {
  const pattern = routes.patternOf(method, path);
  span.updateName(pattern === undefined ? method : `${method} ${pattern}`);
  span.setAttributes({
    'http.request.method': method,
    'fig.kind': match.kind,
    ...(pattern !== undefined && { 'http.route': pattern }),
    ...(countedFor(match) && { 'fig.capability': countedFor(match)?.name }),
  });
}

/** Says who answered it, and for how long it was held. */
export function endRequestSpan(
  span: Span,
  {
    form: { trace },
    status,
    answerer,
    heldMs,
  }: { form: Pick<RequestForm, 'trace'>; status: number; answerer: string; heldMs: number },
): void {
  span.setAttribute('fig.answerer', answerer);
  if (heldMs > 0) span.setAttribute('fig.held_ms', Math.round(heldMs * 1_000) / 1_000);
  markAnswered(trace, status, 500);
  span.end();
}
