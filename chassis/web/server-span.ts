import type { Request, Response } from 'express';
import { beginSpan, markAnswered, parentIn, unrecorded } from '../trace.ts';
import type { Trace } from '../trace.ts';

/** What is asked again and again to see how a process does. */
const PROBES = new Set(['/livez', '/readyz', '/metrics', '/fences']);

/**
 * The span of a request to this server, which ends with the answer. Paths hold ids, and more where a client errs: the
 * span is named by the route.
 * @param begins whether a request that belongs to no trace begins one
 */
export function traceOf(req: Request, res: Response, begins: boolean): Trace {
  const parent = parentIn(req.get('traceparent'));
  if (PROBES.has(req.path) || (!parent && !begins)) return unrecorded(parent);
  const { method } = req;
  const attributes = { 'http.request.method': method };
  const trace = beginSpan({ name: method, kind: 'server', attributes }, parent);
  const { span } = trace;
  if (span) {
    res.once('close', () => {
      const route: unknown = req.route?.path;
      if (typeof route === 'string') {
        span.updateName(`${method} ${route}`).setAttribute('http.route', route);
      }
      markAnswered(trace, res.statusCode, 500);
      span.end();
    });
  }
  return trace;
}
