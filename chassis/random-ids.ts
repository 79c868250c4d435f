import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/** Random bytes are drawn in bulk: one draw a request would cost more than all else about it. */
const pool = Buffer.alloc(8_192);
let next = pool.length;

/** Takes bytes that nobody else gets; they are overwritten some time later. */
function take(bytes: number): number {
  if (next + bytes > pool.length) {
    randomFillSync(pool);
    next = 0;
  }
  next += bytes;
  return next - bytes;
}

/** @param bytes how many; each becomes two hex digits */
export function randomHex(bytes: number): string {
  const from = take(bytes);
  return pool.toString('hex', from, from + bytes);
}

/** An id of 32 hex digits. */
export function randomId(): string {
  return randomHex(16);
}

/** A UUID of version 7: whoever stores it appends to an index instead of scattering over it. */
export function timeOrderedId(): string {
  const from = take(16);
  return v7({ random: pool.subarray(from, from + 16) });
}
