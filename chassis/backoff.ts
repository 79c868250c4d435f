interface Backoff {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** How long to wait after so many failures in a row, in ms: twice as long each time, up to the longest. */
export function backoff(failures: number, { firstMs, longestMs }: Backoff): number {
  return Math.min(longestMs, firstMs * 2 ** (failures - 1));
}

/** Half of a wait at least, and all of it at most, so that those who wait do not ask in step. */
export function jittered(ms: number): number {
  return ms * (0.5 + Math.random() / 2);
}
