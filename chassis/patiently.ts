import { setTimeout as delay } from 'node:timers/promises';

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;

/**
 * Attempts something until it has an outcome, with growing pauses. They have jitter, so that those who wait
 * do not ask in step.
 * @param patienceMs after which no attempt begins
 * @returns undefined when there is no outcome in time
 * @throws what `attempt` throws, at once
 */
export async function patiently<T>(
  patienceMs: number,
  attempt: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = performance.now() + patienceMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const outcome = await attempt();
    if (outcome !== undefined || performance.now() + pause > deadline) return outcome;
    await delay(pause * (0.5 + Math.random() / 2));
  }
}
