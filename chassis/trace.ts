import { AsyncLocalStorage } from 'node:async_hooks';
import { randomHex, randomId } from './random-ids.ts';

/** W3C trace context of one request: 16-byte trace id and 8-byte span id, lower-case hex. */
export interface Trace {
  readonly traceId: string;
  readonly spanId: string;
}

const storage = new AsyncLocalStorage<Trace>();
const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The caller's trace id when its `traceparent` holds one, else a new one. */
export function traceIdOf(traceparent: string | undefined): string {
  const match = traceparent === undefined ? null : TRACEPARENT.exec(traceparent);
  return match?.[1] ?? randomId();
}

/** Goes on with a trace in a span of our own. */
export function spanOf(traceId: string): Trace {
  return { traceId, spanId: randomHex(8) };
}

/** Continues the caller's trace with a span of our own, or starts one when there is none. */
export function continueTrace(traceparent: string | undefined): Trace {
  return spanOf(traceIdOf(traceparent));
}

/** The `traceparent` header to send on. */
export function traceparentOf(trace: Trace): string {
  return `00-${trace.traceId}-${trace.spanId}-01`;
}

/** Runs `work` with this trace as the current one, for logs and outgoing calls. */
export function withTrace<T>(trace: Trace, work: () => T): T {
  return storage.run(trace, work);
}

export function currentTrace(): Trace | undefined {
  return storage.getStore();
}

export function currentTraceId(): string | undefined {
  return storage.getStore()?.traceId;
}
