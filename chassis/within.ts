import { setTimeout as delay } from 'node:timers/promises';

/** What `within` returns for work that took longer. */
export const LATE = Symbol('late');

/**
 * Waits for work, but not for ever: it then goes on in the background, and no one hears of its failure.
 * @throws what the work throws in time
 */
export async function within<T>(ms: number, work: Promise<T> | T): Promise<T | typeof LATE> {
  const inTime = new AbortController();
  const late = delay<typeof LATE>(Math.max(0, ms), LATE, { signal: inTime.signal });
  try {
    return await Promise.race([work, late]);
  } finally {
    inTime.abort();
  }
}
