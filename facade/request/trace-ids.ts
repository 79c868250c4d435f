import { randomHex, randomId } from '../../chassis/index.ts';

const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The caller's trace id when its `traceparent` holds one, else a new one (32 hex digits). */
export function traceIdOf(traceparent: string | undefined): string {
  const match = traceparent === undefined ? null : TRACEPARENT.exec(traceparent);
  return match?.[1] ?? randomId();
}

/** A `traceparent` with a span of the facade's own. */
export function nextTraceparent(traceId: string): string {
  return `00-${traceId}-${randomHex(8)}-01`;
}
