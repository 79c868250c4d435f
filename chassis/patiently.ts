import { setTimeout as delay } from 'node:timers/promises';
import { backoff, jittered } from './backoff.ts';

const PAUSE = { firstMs: 20, longestMs: 500 };

/**
 * Attempts something until it has an outcome, with growing pauses.
 * @param patienceMs after which no attempt begins
 * @returns undefined when there is no outcome in time
 * @throws what `attempt` throws, at once
 */
export async function patiently<T>(
  patienceMs: number,
  attempt: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = performance.now() + patienceMs;
  for (let failures = 1; ; failures += 1) {
    const outcome = await attempt();
    const pause = backoff(failures, PAUSE);
    if (outcome !== undefined || performance.now() + pause > deadline) return outcome;
    await delay(jittered(pause));
  }
}
