import { AsyncLocalStorage } from 'node:async_hooks';
import { randomHex, randomId } from './random-ids.ts';

/** W3C trace context of one request: 16-byte trace id and 8-byte span id, lower-case hex. */
export interface Trace {
  readonly traceId: string;
  readonly spanId: string;
}

const storage = new AsyncLocalStorage<Trace>();
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/** Continues the caller's trace with a span of our own, or starts one when there is none. */
export function continueTrace(traceparent: string | undefined): Trace {
  const match = traceparent === undefined ? null : TRACEPARENT.exec(traceparent);
  const caller = match?.[1];
  const usable = caller !== undefined && !/^0+$/.test(caller);
  return {
    traceId: usable ? caller : randomId(),
    spanId: randomHex(8),
  };
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
