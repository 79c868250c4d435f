import { randomFillSync } from 'node:crypto';

const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Random bytes are drawn in bulk: one draw a request would cost more than all else here. */
const pool = Buffer.alloc(8_192);
let next = pool.length;

function randomHex(bytes: number): string {
  if (next + bytes > pool.length) {
    randomFillSync(pool);
    next = 0;
  }
  next += bytes;
  return pool.toString('hex', next - bytes, next);
}

/** The caller's trace id when its `traceparent` holds one, else a new one (32 hex digits). */
export function traceIdOf(traceparent: string | undefined): string {
  const match = traceparent === undefined ? null : TRACEPARENT.exec(traceparent);
  return match?.[1] ?? randomHex(16);
}

/** A `traceparent` with a span of the facade's own. */
export function nextTraceparent(traceId: string): string {
  return `00-${traceId}-${randomHex(8)}-01`;
}
